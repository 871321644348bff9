"""The pytest plugin: a handpiece, a service, faults and virtual time as fixtures."""
