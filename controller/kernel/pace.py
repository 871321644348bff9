"""Turns for others between the steps of longer work, so that no beat of the control loop waits."""

import asyncio
from typing import TypeVar

from controller.planning.steps import Steps

T = TypeVar("T")


async def paced(steps: Steps[T]) -> T:
    """Run one step a turn of the loop and return the result; what the work raises is raised here.

    No thread: it would share the interpreter's lock with the control loop, 5 ms at a time.
    """
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: T = done.value
            return result
        await asyncio.sleep(0)
