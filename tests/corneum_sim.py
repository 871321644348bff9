"""The whole command ``corneum-sim`` in this process, with what QA adds to it."""

from simulator import plugins
from simulator.app import app

__all__ = ["app"]

plugins.add_to(app)
