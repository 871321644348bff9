"""The whole service in virtual time."""
