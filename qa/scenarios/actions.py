"""How each step of a scenario is done; when is `play`'s business."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from controller.api.requests import Request
from qa.scenarios.stage import Stage
from qa.scenarios.steps import (
    Ask,
    BenchCell,
    Clear,
    Clock,
    Disk,
    Dismiss,
    Freeze,
    Garbage,
    HandMove,
    LineMove,
    LowerTo,
    Noise,
    Plant,
    Process,
    Reboot,
    Sleep,
    SlowDisk,
    Step,
    Stop,
    Treat,
    Wait,
)
from simulator.line import Weather


def perform(step: Step, stage: Stage) -> None:
    """Do a step now. Its time in the timeline is this instant."""
    stage.catch_up()
    stage.note("done", step.do, _words(step))
    if stage.onlooker is not None:
        stage.onlooker.people(step, stage.state, heard=stage.hears)
    _DO[type(step)](step, stage)
    stage.settle_down()


def _plant(step: Plant, stage: Stage) -> None:
    stage.rig.handpiece.set_fault(step.name)
    if step.lasts_s is not None:
        _later(step.lasts_s, lambda: _clear(stage, step.name))


def _disk(step: Disk, stage: Stage) -> None:
    stage.store.full, stage.store.slow_s = step.do == "fill-disk", 0.0


def _slow(step: SlowDisk, stage: Stage) -> None:
    stage.store.slow_s = step.takes_s


def _words(step: Step) -> str:
    said = step.model_dump(
        exclude_defaults=True, exclude={"do", "when", "at_s", "after_s"}, mode="json"
    )
    rest = " ".join(f"{name}={value}" for name, value in said.items())
    return f"{step.do} {rest}".rstrip()


def _request(step: Treat | Ask | Stop | LowerTo | Dismiss, stage: Stage) -> Request:
    args: dict[str, Any] = {}
    match step:
        case Treat():
            args = _wish(step, stage)
        case LowerTo():
            args = _given(step, "suction_kpa", "flow_g_per_min")
        case Dismiss():
            args = _given(step, "treatment", "reason")
        case Stop():
            args = {"emergency": step.emergency}
        case _:
            pass
    who = {"name": "qa", "role": step.role, "origin": step.origin}
    return Request.model_validate({"do": step.do, "who": who, "args": args})


def _wish(step: Treat, stage: Stage) -> dict[str, Any]:
    scenario = stage.scenario
    wish: dict[str, Any] = {
        "program": step.program or scenario.program,
        "client": step.client or scenario.client,
        "resume": step.resume,
    } | _given(step, "reason")
    zones = step.zones or scenario.zones
    if zones is not None and not (step.resume and step.zones is None):
        wish["zones"] = zones
    lower = _given(step, "suction_kpa", "flow_g_per_min")
    return wish | ({"lower": lower} if lower else {})


def _given(step: Step, *names: str) -> dict[str, Any]:
    said = {name: getattr(step, name) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def _process(step: Process, stage: Stage) -> None:
    if step.do == "start-kernel":
        stage.start_kernel()
        return
    process = stage.process
    if process is None or process.killed or process.over:
        return
    if step.do == "kill-kernel":
        process.kill()
        stage.note("kernel", "killed")
        stage.timeline.forget(stage.now_s, "state", "link", "zone")
    elif step.do == "end-kernel":
        process.end()
    else:
        _thaw(stage)


def _freeze(step: Freeze, stage: Stage) -> None:
    process = stage.process
    if process is None or process.killed or process.over:
        return
    process.freeze()
    stage.note("kernel", "frozen")
    if step.lasts_s is not None:
        _later(step.lasts_s, lambda: _thaw(stage))


def _thaw(stage: Stage) -> None:
    process = stage.process
    if process is not None and process.frozen:
        process.thaw()
        stage.note("kernel", "running", "the kernel goes on")


def _noise(step: Noise, stage: Stage) -> None:
    stage.set_weather(
        Weather(
            loss=step.loss,
            delay_s=step.delay_s,
            jitter_s=step.jitter_s,
            flip_rate=step.flip_rate,
            duplicate=step.duplicate,
            reorder=step.reorder,
        )
    )
    stage.note("line", "noisy")


def _line(step: LineMove, stage: Stage) -> None:
    if step.do == "cut-line":
        stage.rig.wire.unplug()
        stage.note("line", "cut")
    elif step.do == "silence-line":
        stage.rig.device.silent = True
        stage.note("line", "silent")
    else:
        _restore(stage)


def _restore(stage: Stage) -> None:
    stage.rig.device.silent = False
    stage.set_weather(Weather())
    if not stage.rig.wire.plugged:
        stage.rig.wire.plug()
    stage.note("line", "whole")


def _clear(stage: Stage, name: str) -> None:
    stage.catch_up()
    stage.rig.handpiece.clear_fault(name)
    stage.settle_down()


def _later(delay_s: float, do: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_s, do)


_HANDS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "press": lambda stage: stage.rig.handpiece.hand.press(),
    "release": lambda stage: stage.rig.handpiece.hand.release(),
    "place": lambda stage: stage.rig.handpiece.hand.place(),
    "lift": lambda stage: stage.rig.handpiece.hand.lift(),
    "hold-still": lambda stage: stage.rig.handpiece.hand.hold_still(),
    "auto": lambda stage: stage.rig.handpiece.hand.auto(),
}

_DO: Final[Mapping[type, Callable[[Any, Stage], None]]] = {
    **dict.fromkeys(
        (Treat, Ask, Stop, LowerTo, Dismiss), lambda step, stage: stage.ask(_request(step, stage))
    ),
    HandMove: lambda step, stage: _HANDS[step.do](stage),
    Plant: _plant,
    Clear: lambda step, stage: _clear(stage, step.name),
    Process: _process,
    Freeze: _freeze,
    LineMove: _line,
    Noise: _noise,
    Garbage: lambda step, stage: stage.rig.wire.send_down(stage.garbage(step.count)),
    Clock: lambda step, stage: stage.step_clock(step.step_days),
    Sleep: lambda step, stage: stage.sleep(step.days),
    Reboot: lambda step, stage: stage.reboot(),
    Disk: _disk,
    SlowDisk: _slow,
    **dict.fromkeys((BenchCell, Wait), lambda step, stage: None),
}
