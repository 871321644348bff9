"""Disks that are full or read-only, as far as this user may make them."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MAY_MOUNT = "needs the right to mount"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a folder on a disk of its own with one megabyte."""
    with _mounted(folder, "size=1m"):
        yield folder


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Give a folder that cannot be written, not even by root."""
    if os.geteuid() == 0:
        with _mounted(folder, "ro,size=1m"):
            yield folder
    else:
        folder.mkdir(mode=0o500)
        yield folder


def fill_up(pid: int) -> None:
    """Let every further write of a process fail, as on a full disk."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[None]:
    folder.mkdir()
    mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip(MAY_MOUNT)
    try:
        yield
    finally:
        subprocess.run([shutil.which("umount") or "umount", "--lazy", str(folder)], check=True)
