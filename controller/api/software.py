"""Which software runs: what the record names beside every start and every treatment."""

import platform
from importlib import metadata
from typing import NamedTuple


class Software(NamedTuple):
    """Versions as their makers write them."""

    corneum: str
    python: str


def running_software() -> Software:
    """Return the versions of this process; a Corneum that was never installed is unknown."""
    try:
        corneum = metadata.version("corneum")
    except metadata.PackageNotFoundError:
        corneum = "unknown"
    return Software(corneum, platform.python_version())
