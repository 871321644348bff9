"""The boundary for files: TOML in, frozen values out."""
