"""The control process: loop, journal and API server."""
