"""Whole pytest runs over small files, for the tests of our plugin."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import controller.kernel.service  # noqa: F401 - imported once here, and not by each inner run
import qa.plugin.alone
import qa.plugin.device
import qa.plugin.served
import qa.plugin.virtual  # noqa: F401 - as above

ROOT = Path(__file__).resolve().parents[2]
ENTRY = "qa.plugin.entry"
INSTALLED = any(entry.name == "corneum" for entry in entry_points(group="pytest11"))
LOADED: Sequence[str] = () if INSTALLED else ("-p", ENTRY)


def run(inner: pytest.Pytester, text: str, *words: str) -> pytest.RunResult:
    inner.makepyfile(test_it=text)
    return inner.runpytest_inprocess(*LOADED, *words)
