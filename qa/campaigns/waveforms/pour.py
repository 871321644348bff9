"""A kernel's stand-in: feeds a real recorder at the pace of a unit, and does nothing else.

`python -m qa.campaigns.waveforms.pour FOLDER SECONDS`. Prints a line once the recorder has begun,
and one of what it was told in the end. A recorder that died is started anew at the end, as a kernel
does when its treatment is over.
"""

import asyncio
import json
import math
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from controller.record.waveform_process import RecorderProcess
from controller.record.waveform_samples import Text, parts_of, sample_of
from controller.safety.exposure import ZoneUse
from controller.safety.reading import Reading
from controller.treatment.conduct import NOTHING, Conduct
from controller.treatment.states import State
from firmware_protocol.vocabulary import Mode

PERIOD_S: Final = 0.02
TREATMENT: Final = 1
BEGUN_MAX_S: Final = 20.0
TOLD_MAX_S: Final = 20.0
LOOK_S: Final = 0.02


async def pour(folder: Path, seconds: float) -> None:
    """Record ``seconds`` of readings below ``folder``."""
    loop, recorder = asyncio.get_running_loop(), RecorderProcess(folder)
    recorder.start()
    said = {"treatment": TREATMENT, "wall_s": time.time(), "mono_s": loop.time(), "plan": {}}
    _put(recorder, Text.BEGIN, said)
    await _until(lambda: recorder.began == TREATMENT, BEGUN_MAX_S)
    _say({"begun": True, "recorder": recorder.pid})
    began_s, number, lost = loop.time(), 0, 0
    while loop.time() - began_s < seconds:
        lost += not recorder.put(_sample(number, loop.time()))
        number += 1
        await asyncio.sleep(max(0.0, began_s + number * PERIOD_S - loop.time()))
    if not recorder.lives:
        recorder.start(TREATMENT)
    _put(recorder, Text.END, {"treatment": TREATMENT, "samples": number, "at_s": loop.time()})
    await _until(lambda: recorder.told.get("treatment") == TREATMENT, TOLD_MAX_S)
    _say({"samples": number, "no_room": lost, "told": recorder.told})
    recorder.give_up(kill=False)


def _sample(number: int, at_s: float) -> bytes:
    zone = SimpleNamespace(under_tip=(0, ZoneUse(contact_s=number * PERIOD_S)))
    conduct = SimpleNamespace(state=State.ACTIVE, course=zone, sent=NOTHING)
    suction_kpa = 20.0 + math.sin(at_s)
    reading = Reading(at_s, number % 2**32, Mode.ACTIVE, suction_kpa=suction_kpa)
    return sample_of(number, TREATMENT, reading, cast("Conduct", conduct))


def _put(recorder: RecorderProcess, kind: Text, body: dict[str, Any]) -> None:
    for record in parts_of(1 if kind is Text.BEGIN else 2, kind, body):
        recorder.put(record)


async def _until(holds: Any, max_s: float) -> None:  # noqa: ANN401 - a predicate
    async with asyncio.timeout(max_s):
        while not holds():
            await asyncio.sleep(LOOK_S)


def _say(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(pour(Path(sys.argv[1]), float(sys.argv[2])))
