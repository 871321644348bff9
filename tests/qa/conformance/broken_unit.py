"""Devices that break a rule of the treatment: leases, arming, stops, the hand."""

from collections import deque
from typing import Any

from firmware_protocol.errors import CORRUPT, BadFrameError, Reject
from firmware_protocol.frame import Frame
from firmware_protocol.link import Link
from firmware_protocol.messages import Arm, Result, SelfTest, Setpoint, Stop
from firmware_protocol.session import Event
from firmware_protocol.vocabulary import Capability, Cause, Defect, Mode, Permit, Refusal
from simulator.firmware import reports
from simulator.firmware.board import Board
from simulator.firmware.channel_b import ChannelB
from simulator.firmware.contact import HandSwitch
from simulator.firmware.memory import Identity
from simulator.firmware.modes import POLICY, Policy, Trigger
from simulator.firmware.outputs import Totals
from simulator.firmware.requests import Requests
from simulator.firmware.setpoints import Envelope, Lease, Setpoints, Verdict
from simulator.firmware.witness import Witness
from simulator.handpiece import Handpiece
from tests.qa.conformance.broken import Broken, Patch, arming, permitting, rows

broken = Broken()


# -- leases ----------------------------------------------------------------------------------------
@broken("the lease is not clamped", "C40")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.setpoints.LEASE_MIN_MS", 1)
    patch.setattr("simulator.firmware.setpoints.LEASE_MAX_MS", 10_000)


@broken("the lease holds twice as long", "C41", "C48", "C75")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.setpoints.LEASE_MAX_MS", 400)
    patch.setattr("simulator.firmware.channel_b.LEASE_MAX_MS", 400)
    grant, renewed = Lease.grant, ChannelB.renewed
    patch.setattr(Lease, "grant", lambda self, ms, tick: grant(self, 2 * ms, tick))
    patch.setattr(ChannelB, "renewed", lambda self, ms: renewed(self, 2 * ms))


@broken("the loop counter may stand", "C42")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.setpoints.newer", lambda a, b: True)


@broken("the echo may be of any age", "C43")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.setpoints.ECHO_AGE_MAX_MS", 2**32)
    made = Setpoints.__init__

    def remembering(self: Setpoints) -> None:
        made(self)
        self._sent_ticks = deque(maxlen=1_000)

    patch.setattr(Setpoints, "__init__", remembering)


@broken("any tick of the last 100 ms may be echoed", "C49")
def _(patch: Patch) -> None:
    judge = Setpoints._judge

    def believed(self: Setpoints, setpoint: Setpoint, tick_ms: int) -> Verdict:
        verdict = judge(self, setpoint, tick_ms)
        return Verdict.ACCEPTED if verdict is Verdict.MADE_UP_ECHO else verdict

    patch.setattr(Setpoints, "_judge", believed)


@broken("the beat of TELEMETRY can be counted", "C19")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.firmware.Firmware._drawn_shift_ms", lambda self: 0)


@broken("a configuration that can never flow is taken", "C36")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.setpoints.FLOW_SET_MIN_MG_PER_MIN", 0)


@broken("the valve opens again at once", "C79")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.outputs.CLOSED_MIN_MS", 0)


@broken("a failed self-test is told without what it found", "C83")
def _(patch: Patch) -> None:
    tested = Board.tested

    def silent(self: Board, found: Defect) -> None:
        tested(self, found)
        self.defects = Defect.NONE

    patch.setattr(Board, "tested", silent)


@broken("a setpoint of any treatment will do", "C44")
def _(patch: Patch) -> None:
    judge = Setpoints._judge

    def anyones(self: Setpoints, setpoint: Setpoint, tick_ms: int) -> Verdict:
        return judge(self, setpoint._replace(treatment=self.envelope.treatment), tick_ms)

    patch.setattr(Setpoints, "_judge", anyones)


@broken("READY drives like ARMED", "C46")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.board.POLICY", {**POLICY, Mode.READY: Policy(armed=True)})


@broken("the configuration does not narrow", "C47")
def _(patch: Patch) -> None:
    configure = Setpoints.configure

    def wide(self: Setpoints, envelope: Envelope) -> None:
        configure(self, envelope._replace(suction_max_pa=50_000))

    patch.setattr(Setpoints, "configure", wide)


# -- arming ----------------------------------------------------------------------------------------
@broken("DISARMED may be armed", "C50")
def _(patch: Patch) -> None:
    rows(patch, Mode.DISARMED, Trigger.ARM, Mode.ARMED)
    patch.setattr(Requests, "_why_not_arm", lambda self, arm: Refusal.NONE)


@broken("any token arms", "C51")
def _(patch: Patch) -> None:
    arming(patch, lambda board, arm: arm._replace(token=board.token))


@broken("any treatment arms", "C52")
def _(patch: Patch) -> None:
    arming(patch, lambda board, arm: arm._replace(treatment=board.a.setpoints.envelope.treatment))


@broken("any stream is healthy", "C53")
def _(patch: Patch) -> None:
    patch.setattr(Setpoints, "healthy", lambda self, tick_ms: True)


@broken("any tip will do", "C54")
def _(patch: Patch) -> None:
    judge = Requests._why_not_arm

    def tipless(self: Requests, arm: Arm) -> Refusal:
        refusal = judge(self, arm)
        return Refusal.NONE if refusal is Refusal.OUT_OF_ENVELOPE else refusal

    patch.setattr(Requests, "_why_not_arm", tipless)


@broken("one token for ever", "C55")
def _(patch: Patch) -> None:
    selftest = Requests._selftest

    def kept(self: Requests, message: SelfTest, seq: int) -> Result:
        answer = selftest(self, message, seq)
        self._board.token = 4711
        return answer._replace(detail=4711)

    patch.setattr(Requests, "_selftest", kept)


@broken("a stranger's HELLO takes an armed unit", "C56")
def _(patch: Patch) -> None:
    rows(patch, Mode.ARMED, Trigger.SESSION, Mode.DISARMED)


@broken("no number of bad frames is too many", "C57", "C59")
def _(patch: Patch) -> None:
    patch.setattr(Link, "limit_exceeded", lambda self, now_s: False)


@broken("late frames count as errors", "C58")
def _(patch: Patch) -> None:
    patch.setattr("firmware_protocol.link.CORRUPT", CORRUPT | {Reject.STALE})


# -- stops -----------------------------------------------------------------------------------------
@broken("STOP needs the session", "C60")
def _(patch: Patch) -> None:
    take = Link._take

    def ours(self: Link, frame: Frame, now_s: float, events: list[Event]) -> None:
        if isinstance(frame.message, Stop) and frame.session != self.session:
            raise BadFrameError(Reject.SESSION)
        take(self, frame, now_s, events)

    patch.setattr(Link, "_take", ours)


def _stop(number: str, mode: Mode, trigger: Trigger, to: Mode) -> None:
    def change(patch: Patch) -> None:
        rows(patch, mode, trigger, to)

    broken(f"{trigger.name} in {mode.name} leads to {to.name}", number)(change)


_stop("C61", Mode.DISARMED, Trigger.STOP_NORMAL, Mode.STOPPING)
_stop("C62", Mode.SELFTEST, Trigger.STOP_EMERGENCY, Mode.SELFTEST)
_stop("C63", Mode.READY, Trigger.STOP_NORMAL, Mode.READY)
_stop("C65", Mode.ARMED, Trigger.STOP_EMERGENCY, Mode.STOPPING)
_stop("C66", Mode.STOPPING, Trigger.STOP_EMERGENCY, Mode.STOPPING)
_stop("C73", Mode.ACTIVE, Trigger.STOP_NORMAL, Mode.PAUSED)
_stop("C74", Mode.PAUSED, Trigger.STOP_NORMAL, Mode.PAUSED)


@broken("the purge is cut short", "C64")
def _(patch: Patch) -> None:
    patch.setattr("simulator.firmware.outputs.PURGE_MS", 500)


# -- hands and faults ------------------------------------------------------------------------------
@broken("contact and suction are no permissives", "C70", "C72")
def _(patch: Patch) -> None:
    permitting(patch, Permit.CONTACT | Permit.SUCTION)


@broken("a released switch counts as pressed", "C71")
def _(patch: Patch) -> None:
    sample, tick = HandSwitch.sample, ChannelB.tick

    def stuck(self: HandSwitch, dt_ms: int, *, closed: bool, rest: bool) -> None:
        held = self.pressed
        sample(self, dt_ms, closed=closed or held, rest=rest and not held)

    def blind(
        self: ChannelB, dt_ms: int, suction_kpa: float | None, valve_percent: float,
        *, switch_rest: bool, a_tripped: bool,
    ) -> Cause:  # fmt: skip
        return tick(self, dt_ms, suction_kpa, valve_percent, switch_rest=False, a_tripped=a_tripped)

    patch.setattr(HandSwitch, "sample", stuck)
    patch.setattr(ChannelB, "tick", blind)


@broken("the switch is always released", "C76")
def _(patch: Patch) -> None:
    patch.setattr(HandSwitch, "released", property(lambda self: True))


@broken("exposure is not counted down", "C77")
def _(patch: Patch) -> None:
    allow = Totals.allow
    patch.setattr(Totals, "allow", lambda self, left_mg: allow(self, 1000))


@broken("a held switch counts as newly pressed", "C78")
def _(patch: Patch) -> None:
    sample = HandSwitch.sample

    def eager(self: HandSwitch, dt_ms: int, *, closed: bool, rest: bool) -> None:
        sample(self, dt_ms, closed=closed, rest=rest)
        self.newly_pressed = self.pressed

    patch.setattr(HandSwitch, "sample", eager)


@broken("every boot has the same id", "C80")
def _(patch: Patch) -> None:
    def same(serial: int, boot_id: int, capabilities: Capability, **other: int) -> Identity:
        del boot_id
        return Identity(serial, 7, capabilities, **other)

    patch.setattr("simulator.handpiece.Identity", same)


@broken("a restart forgets nothing", "C81")
def _(patch: Patch) -> None:
    patch.setattr(Handpiece, "restart", lambda self, **_: self.clear_fault("power-dip"))


@broken("a lost sensor is told as zero", "C82")
def _(patch: Patch) -> None:
    milli = reports._milli
    patch.setattr(reports, "_milli", lambda kpa: milli(0.0 if kpa is None else kpa))


# -- the witness -----------------------------------------------------------------------------------
@broken("the first row of a journal is kept for ever", "C84")
def _(patch: Patch) -> None:
    keep = Witness.keep

    def once(self: Witness, journal: tuple[int, int], *said: Any, decided: bool) -> bool:  # noqa: ANN401
        known = self.of(journal) is not None and not decided
        return known or keep(self, journal, *said, decided=decided)

    patch.setattr(Witness, "keep", once)


@broken("a row may go back", "C85")
def _(patch: Patch) -> None:
    keep = Witness.keep
    patch.setattr(Witness, "keep", lambda self, *said, **_: keep(self, *said, decided=True))


@broken("a row is taken while a treatment is armed", "C86")
def _(patch: Patch) -> None:
    patch.setattr(Policy, "running", property(lambda _: False))


@broken("three journals are kept", "C87")
def _(patch: Patch) -> None:
    keep = Witness.keep

    def three(self: Witness, *said: Any, decided: bool) -> bool:  # noqa: ANN401
        done = keep(self, *said, decided=decided)
        self.kept = self.kept[:3]
        return done

    patch.setattr(Witness, "keep", three)
