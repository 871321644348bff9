"""Jobs for the tests of the workers: plain functions that any process can import."""

import os
from pathlib import Path
from typing import NamedTuple


class Marked(NamedTuple):
    """A number, and a file that remembers who was there."""

    number: int
    mark: str


def square(number: int) -> int:
    return number * number


def dies_once(job: Marked) -> int:
    """End the process of the worker, but not when it was tried before."""
    mark = Path(job.mark)
    if not mark.exists():
        mark.touch()
        os._exit(9)
    return square(job.number)


def dies(number: int) -> int:
    if number:
        return square(number)
    os._exit(9)


def counted(job: Marked) -> int:
    """Leave a line for each time that it was run."""
    with Path(job.mark).open("a", encoding="utf-8") as file:
        file.write(f"{job.number}\n")
    return square(job.number)
