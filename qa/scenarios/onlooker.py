"""Watches a device in every tick of a scenario, and what people ask for, and holds the promise."""

from pathlib import Path
from typing import Final

from controller.config.errors import ConfigError
from controller.config.locate import shipped_configs
from controller.config.programs import load_program
from controller.config.skin import load_skin
from controller.treatment.kinds import Kind
from firmware_protocol.errors import BadFrameError
from firmware_protocol.session import tick_of
from qa.ledger import Ledger
from qa.promise.rig import Promise
from qa.promise.watch import Limits
from qa.scenarios.model import Scenario
from qa.scenarios.steps import Ask, Step, Treat
from qa.scenarios.story import Breach
from simulator.handpiece import Handpiece

MS_PER_S: Final = 1000.0
_ENDS_IT: Final = ("kill-kernel", "end-kernel", "start-kernel", "cut-line")


def limits_of(scenario: Scenario, configs: Path | None) -> Limits:
    """Return the widest limits of the programs that a scenario names; unknown ones do not run."""
    folder = shipped_configs() if configs is None else configs
    skin = load_skin(folder)
    named = {scenario.program}
    named |= {step.program for step in scenario.steps if isinstance(step, Treat) and step.program}
    suction_kpa, flow_g_per_min = 0.0, 0.0
    for name in sorted(named):
        try:
            stages = load_program(folder, name, skin).stages
        except ConfigError:
            continue
        suction_kpa = max(suction_kpa, *(stage.suction_kpa for stage in stages))
        flow_g_per_min = max(flow_g_per_min, *(stage.flow_g_per_min for stage in stages))
    return Limits(round(suction_kpa * MS_PER_S), round(flow_g_per_min * MS_PER_S))


class Onlooker:
    """The watcher of a device and the scene of its promise."""

    def __init__(self, handpiece: Handpiece, limits: Limits, broken: list[Breach]) -> None:
        """Watch ``handpiece`` from now on; the first breach of each rule goes to ``broken``."""
        self.handpiece = handpiece
        self.ledger = Ledger()
        self.promise = Promise(self._broken, limits)
        self.promise.scene = self
        self._found = broken
        handpiece.watcher = self

    @property
    def now_s(self) -> float:
        """Seconds since power-on, at the last tick."""
        return self.handpiece.now_s

    def forget(self) -> None:
        """The device has restarted: it knows nothing of what it was told."""
        self.ledger = Ledger()

    # -- what the device hears, says and does ------------------------------------------------------
    def heard(self, data: bytes, now_s: float) -> None:
        """Read what the device is about to receive."""
        boot_tick_ms = self.handpiece.firmware.board.identity.boot_tick_ms
        self.ledger.hear(data, now_s * MS_PER_S, tick_of(now_s, boot_tick_ms))

    def said(self, data: bytes) -> None:
        """Read what the device has written."""
        try:
            self.ledger.say(data, self.handpiece.firmware.link.session)
        except BadFrameError as error:
            self._broken("the device writes what is no frame", str(error))

    def ticked(self) -> None:
        """Look at everything."""
        self.promise.look()

    # -- what people do ----------------------------------------------------------------------------
    def people(self, step: Step, state: str, *, heard: bool) -> None:
        """Take a step that is about to be done: who allows, and who does not any more.

        ``state`` is that of the treatment, ``heard`` whether a kernel is there to hear it.
        """
        if step.do in _ENDS_IT or (heard and step.do in ("stop", "shutdown")):
            self.promise.revoke()
        elif heard and step.do == "pause" and state == "active":
            self.promise.hold()
        elif heard and isinstance(step, Treat | Ask) and step.origin == "local":
            self._asked(step.do)

    def recorded(self, kind: str) -> None:
        """Take a row that has become durable: only then is somebody's wish to resume one."""
        if kind == Kind.RESUME:
            self.promise.resume()

    def _asked(self, do: str) -> None:
        """Somebody at the unit asked; a viewer is refused, and then there is less to see."""
        promise = self.promise
        if do == "treat":
            promise.permit()
        elif do == "reset":
            promise.resets_asked += 1

    def _broken(self, rule: str, how: str) -> None:
        if all(each.rule != rule for each in self._found):
            self._found.append(Breach(self.now_s, rule, how))
