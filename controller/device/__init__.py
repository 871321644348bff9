"""The async shell around the line: transport, link driver and handpiece client."""
