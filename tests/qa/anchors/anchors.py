"""Anchors for tests: the shipped file with something changed in its text."""

from pathlib import Path

from controller.config.locate import shipped_configs
from qa.anchors.rows import FILE, AnchorsFile, load_anchors

SHIPPED = shipped_configs() / FILE


def file_with(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    """Write the shipped anchors with texts replaced and rows added; return the configs folder."""
    text = SHIPPED.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text + more, encoding="utf-8")
    return folder


def shipped() -> AnchorsFile:
    """Return the shipped anchors."""
    return load_anchors(shipped_configs())


MEASURED = """
[[anchors]]
name = "bench"
seen = "a measured depth"
likelihood = "depth"
depth_um = {depth_um}
depth_sd_um = {sd_um}
suction_kpa = 30.0
flow_g_per_min = 10.0
time_s = 4.0
cite = "a test"
read = "whole"
"""
