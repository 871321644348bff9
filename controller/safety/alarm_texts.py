"""Every alarm in words: for each cause of the device, host interlock, refusal and notice.

One text per meaning: a condition that device and host can both see has one code and one sentence.
Sentences are for a practitioner with gloves on and a client on the couch: what happened, then what
to do. "Acknowledge and reset" is the way out of every trip.
"""

from collections.abc import Mapping
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

from controller.safety import guide_texts
from controller.safety.alarms import Alarm, Priority
from controller.safety.interlocks import Interlock
from firmware_protocol.vocabulary import Cause, Refusal

_HIGH, _MEDIUM, _LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
_INFO: Final = Priority.INFORMATION


@unique
class Notice(Enum):
    """What the host tells people beside trips and refusals."""

    SAFE_NOT_REACHED = "the safe state was not confirmed"
    STOP_SLOW = "the orderly end took too long"
    RELEASE_SWITCH = "the switch must be released first"
    PRESS_SWITCH = "armed: waiting for the switch"
    ARMED_AGAIN = "nobody pressed: arming again"
    NOBODY_PRESSED = "nobody pressed for too long"
    NOBODY_TREATS = "no crystals were used for too long"
    ZONE_TIME = "the zone has had its time"
    ZONE_EXPOSURE = "the zone has had its exposure"
    ZONE_SUCTION = "the zone has had its suction dose"
    HELD = "a person holds the flow"
    NO_SCREEN = "no screen leads the treatment"
    STOPPED_AT_UNIT = "stopped from elsewhere"
    RECORD_LOST = "the record cannot be written"
    NOT_RECORDED = "the end of a treatment was not written"
    RECORD_BROKEN = "the record was changed or lacks rows"
    DWELL_WARNING = "the tip slows down"
    LEASE_PROOF = "the lease is not dropped in time"
    UNIT_LOCKED = "one cause was reset too often"


# -- suction ---------------------------------------------------------------------------------------
OVER_SUCTION: Final = Alarm(
    "V01", _MEDIUM, "Suction went above its limit; the unit shut the crystals off and vented.",
    "Check the skin, then acknowledge and reset; call service if it happens again.",
)  # fmt: skip
NO_SUCTION: Final = Alarm(
    "V02", _MEDIUM, "The unit cannot reach the suction that was set.",
    "Check hose, lids and seals for a leak, then acknowledge and reset.",
)  # fmt: skip
SENSOR_FROZEN: Final = Alarm(
    "V03", _MEDIUM, "A sensor reading does not move any more and cannot be trusted.",
    "Acknowledge and reset; if it happens again, take the unit out of use and call service.",
)  # fmt: skip
SENSORS_DISAGREE: Final = Alarm(
    "V04", _MEDIUM, "The two suction sensors do not agree.",
    "Acknowledge and reset; if it happens again, have the unit calibrated.",
)  # fmt: skip
SENSORS_DRIFT: Final = Alarm(
    "V09", _MEDIUM, "One suction sensor creeps away from the other.",
    "Acknowledge and reset, then have the unit calibrated before the next treatment.",
)  # fmt: skip
SENSOR_INVALID: Final = Alarm(
    "V05", _MEDIUM, "A sensor of the handpiece gives no valid reading.",
    "Check the plug of the handpiece, then acknowledge and reset.",
)  # fmt: skip
SUCTION_WHILE_OFF: Final = Alarm(
    "V06", _HIGH, "There is still suction although everything is switched off.",
    "Break the seal at the rim, take the handpiece off the skin, switch the unit off at the mains.",
)  # fmt: skip
SUCTION_OVER_SET: Final = Alarm(
    "V07", _MEDIUM, "Suction stays above the value that was set.",
    "Check the vent and the tip, then acknowledge and reset; call service if it happens again.",
)  # fmt: skip
SUCTION_JUMP: Final = Alarm(
    "V08", _MEDIUM, "The suction reading jumped further than air can move.",
    "Check the plug of the handpiece, then acknowledge and reset.",
)  # fmt: skip

# -- crystal flow ----------------------------------------------------------------------------------
NO_FLOW: Final = Alarm(
    "F01", _MEDIUM, "No crystals flow although the valve is open: the tip or the line is clogged.",
    "Clear the tip, check that the crystals are dry, then acknowledge and reset.",
)  # fmt: skip
OVER_FLOW: Final = Alarm(
    "F02", _MEDIUM, "More crystals flowed than were set; the unit shut them off.",
    "Check the skin, then acknowledge and reset; call service if it happens again.",
)  # fmt: skip
HOPPER_EMPTY: Final = Alarm(
    "F03", _MEDIUM, "The crystal supply is empty.",
    "Fill dry crystals of a known lot, then acknowledge and reset.",
)  # fmt: skip
FLOW_WITHOUT_CONTACT: Final = Alarm(
    "F05", _MEDIUM, "Crystals flowed while the tip was not on the skin; the unit shut them off.",
    "Keep crystals out of the eyes, check the tip, then acknowledge and reset.",
)  # fmt: skip
VALVE_STUCK_OPEN: Final = Alarm(
    "F06", _HIGH, "The crystal valve does not shut.",
    "Take the handpiece off the skin, switch the unit off at the mains and call service.",
)  # fmt: skip

# -- trap and filter -------------------------------------------------------------------------------
WASTE_FULL: Final = Alarm(
    "T01", _MEDIUM, "The waste canister is full.",
    "Empty the waste canister, then acknowledge and reset.",
)  # fmt: skip
FILTER_LOADED: Final = Alarm(
    "T02", _MEDIUM, "The filter is clogged.", "Change the filter, then acknowledge and reset."
)

# -- line and controller ---------------------------------------------------------------------------
LINK_LOST: Final = Alarm(
    "C01", _MEDIUM, "The line to the unit is lost; the unit shuts the crystals off by itself.",
    "Lift the handpiece off, check the cable, then acknowledge and reset.",
)  # fmt: skip
LINK_ERRORS: Final = Alarm(
    "C02", _MEDIUM, "Too much of what came over the line was damaged.",
    "Check cable and plugs and keep other devices away from them, then acknowledge and reset.",
)  # fmt: skip
VERSION: Final = Alarm(
    "C03", _LOW, "The unit speaks another version of the protocol.",
    "Update the unit or this controller so that both have the same version.",
)  # fmt: skip
MODE_DISAGREES: Final = Alarm(
    "C04", _MEDIUM, "The unit was not doing what the controller believed.",
    "Acknowledge and reset, then start again; call service if it happens again.",
)  # fmt: skip
UNIT_CHANGED: Final = Alarm(
    "C05", _MEDIUM, "The unit was restarted, or another unit answers in its place.",
    "Check which unit is connected and its power supply, then acknowledge and reset.",
)  # fmt: skip
LOOP_STALLED: Final = Alarm(
    "C06", _MEDIUM, "This computer held the controller up, so that the crystals were shut off.",
    "Close other programs on this computer, then acknowledge and reset.",
)  # fmt: skip
LEASE_LAPSED: Final = Alarm(
    "C07", _MEDIUM, "The unit did not hear from the controller in time and shut the crystals off.",
    "Check the cable and close other programs, then acknowledge and reset.",
)  # fmt: skip
SETPOINT_NOT_TAKEN: Final = Alarm(
    "C08", _MEDIUM, "The unit holds a higher setting than the controller sent.",
    "Acknowledge and reset; if it happens again, take the unit out of use and call service.",
)  # fmt: skip
NO_ANSWER: Final = Alarm(
    "C09", _LOW, "The unit did not answer.", "Check the cable and try again.", latching=False
)
BUSY: Final = Alarm(
    "C10", _LOW, "Another controller is treating with this unit.",
    "End that treatment first, or use another unit.", latching=False,
)  # fmt: skip
NOT_UNDERSTOOD: Final = Alarm(
    "C11", _LOW, "The unit did not understand the controller.",
    "Update the unit or this controller so that both have the same version.", latching=False,
)  # fmt: skip
WRONG_MODE: Final = Alarm(
    "C12", _LOW, "The unit is not in a state in which it can do this.",
    "Wait until it is switched off and vented, then try again.", latching=False,
)  # fmt: skip
STREAM_NOT_HEALTHY: Final = Alarm(
    "C13", _LOW, "The line to the unit is not steady enough to arm.",
    "Check the cable and close other programs, then try again.", latching=False,
)  # fmt: skip
BAD_TOKEN: Final = Alarm(
    "C14", _LOW, "The self-test is out of date, so the unit does not arm.",
    "Start again; the self-test then runs anew.", latching=False,
)  # fmt: skip

# -- skin ------------------------------------------------------------------------------------------
DWELL: Final = Alarm(
    "S01", _MEDIUM, "The tip stayed in one place for too long.",
    "Check the skin, keep the tip moving, then acknowledge and reset.",
)  # fmt: skip
EXPOSURE: Final = Alarm(
    "S02", _MEDIUM, "The zone has had all the exposure that it may have.",
    "Go on with another zone on another day; acknowledge and reset.",
)  # fmt: skip
CONTACT_TOO_LONG: Final = Alarm(
    "S04", _MEDIUM, "The tip was not lifted off for too long.",
    "Check the skin, lift after every stroke, then acknowledge and reset.",
)  # fmt: skip

# -- configuration ---------------------------------------------------------------------------------
TIP_CHANGED: Final = Alarm(
    "K03", _MEDIUM, "The tip was changed during the treatment.",
    "Fit the tip that was planned, then acknowledge and reset.",
)  # fmt: skip
OUT_OF_ENVELOPE: Final = Alarm(
    "K04", _MEDIUM, "A setting lies outside of what the unit may ever do.",
    "Check the program and the files of the unit, then start again.",
)  # fmt: skip
NOT_CONFIGURED: Final = Alarm(
    "K05", _LOW, "The unit has lost the settings of this treatment.",
    "Start the treatment again.", latching=False,
)  # fmt: skip

# -- hand switch -----------------------------------------------------------------------------------
SWITCH_FAULT: Final = Alarm(
    "H01", _MEDIUM, "The hand switch is stuck, or its two contacts disagree.",
    "Release the switch, then acknowledge and reset; change it if it happens again.",
)  # fmt: skip
SWITCH_PRESSED: Final = Alarm(
    "H03", _LOW, "The hand switch is pressed before the unit is armed.",
    "Release the hand switch.", latching=False,
)  # fmt: skip

# -- unit ------------------------------------------------------------------------------------------
BROWN_OUT: Final = Alarm(
    "U01", _MEDIUM, "The supply voltage of the unit fell.",
    "Check the mains plug, then acknowledge and reset.",
)  # fmt: skip
OVERHEAT: Final = Alarm(
    "U02", _MEDIUM, "The pump is too hot.",
    "Let the unit cool down for ten minutes and check the filter, then acknowledge and reset.",
)  # fmt: skip
SELF_TEST: Final = Alarm(
    "U03", _LOW, "The unit did not pass its self-test.",
    "Lift the tip off everything, release the switch and start again; call service if it fails.",
)  # fmt: skip
RESET_STORM: Final = Alarm(
    "U04", _MEDIUM, "The unit has restarted several times within a minute and locked itself.",
    "Take the unit out of use and call service.",
)  # fmt: skip
FIRMWARE_STALL: Final = Alarm(
    "U05", _MEDIUM, "The unit's own program was held up and shut everything off.",
    "Acknowledge and reset; if it happens again, take the unit out of use and call service.",
)  # fmt: skip
ENVELOPE: Final = Alarm(
    "U06", _MEDIUM, "The unit measured something outside of what it may ever do.",
    "Check the skin, then acknowledge and reset; call service if it happens again.",
)  # fmt: skip
SAFE_NOT_REACHED: Final = Alarm(
    "U07", _HIGH, "It is not confirmed that the crystals are off.",
    "Take the handpiece off the skin and switch the unit off at the mains.",
)  # fmt: skip
CAUSE_STANDS: Final = Alarm(
    "U08", _LOW, "The reason of the trip is still there, or the hand switch is pressed.",
    "Mend it, release the hand switch and reset again.", latching=False,
)  # fmt: skip
LOCKED: Final = Alarm(
    "U09", _LOW, "The unit is locked: one trip was reset three times within ten minutes.",
    "Take the unit out of use and call service.", latching=False,
)  # fmt: skip
LEASE_PROOF: Final = Alarm(
    "U12", _MEDIUM, "The unit did not let go in time when the controller fell silent for the test.",
    "Take the unit out of use and call service.",
)  # fmt: skip
NO_SUCH_RECORD: Final = Alarm(
    "U10", _LOW, "The unit has no such entry in its log.", "Read its newest entry.", latching=False
)
WITNESS_AHEAD: Final = Alarm(
    "U16", _LOW, "The unit keeps a later end of this record, or another one.",
    "A technician finds out what happened to the record.", latching=False,
)  # fmt: skip

RECORD_LOST: Final = Alarm(
    "R01", _MEDIUM, "The record of the treatment cannot be written, so the treatment ends.",
    "Mend what the message names before the next treatment.",
)  # fmt: skip
NOT_RECORDED: Final = Alarm(
    "R02", _MEDIUM,
    "The end of this treatment is not recorded; if it stays so, the next start charges it as "
    "interrupted.",
    "Mend what kept the record from being written before the next treatment.",
)  # fmt: skip
RECORD_BROKEN: Final = Alarm(
    "R03", _LOW, "The record is broken or lacks rows; whom that may concern is not treated.",
    "List the rows with `corneum records verify`; a technician has the way out.", latching=False,
)  # fmt: skip


def _tell(code: str, sentence: str, next_step: str, priority: Priority = _INFO) -> Alarm:
    return Alarm(code, priority, sentence, next_step, latching=False)


OF_CAUSE: Final[Mapping[Cause, Alarm]] = MappingProxyType(
    {
        Cause.LEASE_LAPSED: LEASE_LAPSED,
        Cause.OVER_SUCTION: OVER_SUCTION,
        Cause.FLOW_WITHOUT_CONTACT: FLOW_WITHOUT_CONTACT,
        Cause.VALVE_STUCK_OPEN: VALVE_STUCK_OPEN,
        Cause.NO_FLOW: NO_FLOW,
        Cause.DWELL: DWELL,
        Cause.SENSOR_INVALID: SENSOR_INVALID,
        Cause.SENSOR_FROZEN: SENSOR_FROZEN,
        Cause.SENSORS_DISAGREE: SENSORS_DISAGREE,
        Cause.SWITCH_FAULT: SWITCH_FAULT,
        Cause.LINK_ERRORS: LINK_ERRORS,
        Cause.BROWN_OUT: BROWN_OUT,
        Cause.OVERHEAT: OVERHEAT,
        Cause.LOOP_STALL: FIRMWARE_STALL,
        Cause.WASTE_FULL: WASTE_FULL,
        Cause.FILTER_LOADED: FILTER_LOADED,
        Cause.HOPPER_EMPTY: HOPPER_EMPTY,
        Cause.TIP_CHANGED: TIP_CHANGED,
        Cause.ENVELOPE: ENVELOPE,
        Cause.CONTACT_TOO_LONG: CONTACT_TOO_LONG,
        Cause.SELF_TEST: SELF_TEST,
        Cause.RESET_STORM: RESET_STORM,
        Cause.NO_SUCTION: NO_SUCTION,
        Cause.EXPOSURE: EXPOSURE,
    }
)
"""Each cause that the device may latch; NONE is no cause and has no text."""

OF_INTERLOCK: Final[Mapping[Interlock, Alarm]] = MappingProxyType(
    {
        Interlock.LOOP_STALLED: LOOP_STALLED,
        Interlock.TELEMETRY_STALE: LINK_LOST,
        Interlock.LINK_LOST: LINK_LOST,
        Interlock.LINK_NOISY: LINK_ERRORS,
        Interlock.UNIT_CHANGED: UNIT_CHANGED,
        Interlock.OVER_SUCTION: OVER_SUCTION,
        Interlock.SENSOR_MISSING: SENSOR_INVALID,
        Interlock.FLOW_WHILE_SHUT: VALVE_STUCK_OPEN,
        Interlock.FLOW_WITHOUT_CONTACT: FLOW_WITHOUT_CONTACT,
        Interlock.OVER_FLOW: OVER_FLOW,
        Interlock.SUCTION_WHILE_OFF: SUCTION_WHILE_OFF,
        Interlock.SUCTION_OVER_SET: SUCTION_OVER_SET,
        Interlock.SUCTION_JUMP: SUCTION_JUMP,
        Interlock.SENSORS_DISAGREE: SENSORS_DISAGREE,
        Interlock.SENSORS_DRIFT: SENSORS_DRIFT,
        Interlock.SENSOR_FROZEN: SENSOR_FROZEN,
        Interlock.FLOW_FROZEN: SENSOR_FROZEN,
        Interlock.NO_FLOW: NO_FLOW,
        Interlock.DWELL: DWELL,
        Interlock.SEAL_TOO_LONG: CONTACT_TOO_LONG,
        Interlock.SETPOINT_NOT_TAKEN: SETPOINT_NOT_TAKEN,
        Interlock.MODE_DISAGREES: MODE_DISAGREES,
        Interlock.STOP_WITHOUT_EFFECT: VALVE_STUCK_OPEN,
        Interlock.NO_ANSWER: LINK_LOST,
    }
)

OF_REFUSAL: Final[Mapping[Refusal, Alarm]] = MappingProxyType(
    {
        Refusal.WRONG_MODE: WRONG_MODE,
        Refusal.OUT_OF_ENVELOPE: OUT_OF_ENVELOPE,
        Refusal.STREAM_NOT_HEALTHY: STREAM_NOT_HEALTHY,
        Refusal.BAD_TOKEN: BAD_TOKEN,
        Refusal.SWITCH_PRESSED: SWITCH_PRESSED,
        Refusal.CAUSE_STANDS: CAUSE_STANDS,
        Refusal.SELF_TEST_FAILED: SELF_TEST,
        Refusal.NOT_CONFIGURED: NOT_CONFIGURED,
        Refusal.NOT_UNDERSTOOD: NOT_UNDERSTOOD,
        Refusal.BUSY: BUSY,
        Refusal.VERSION: VERSION,
        Refusal.NO_SUCH_RECORD: NO_SUCH_RECORD,
        Refusal.LOCKED: LOCKED,
        Refusal.WITNESS_AHEAD: WITNESS_AHEAD,
    }
)
"""Each reason for which a one-shot may fail; NONE is no reason and has no text."""

OF_NOTICE: Final[Mapping[Notice, Alarm]] = MappingProxyType(
    {
        Notice.SAFE_NOT_REACHED: SAFE_NOT_REACHED,
        Notice.STOP_SLOW: Alarm(
            "U11", _MEDIUM, "The unit did not purge and vent in time; it was vented at once.",
            "Check hose and vent before the next treatment.",
        ),
        Notice.RELEASE_SWITCH: SWITCH_PRESSED,
        Notice.PRESS_SWITCH: guide_texts.PRESS,
        Notice.ARMED_AGAIN: guide_texts.ARMED_AGAIN,
        Notice.NOBODY_PRESSED: _tell(
            "H06", "Nobody pressed the hand switch, so the treatment was ended.",
            "Start again when you are ready.",
        ),
        Notice.NOBODY_TREATS: _tell(
            "H08", "Nothing was treated for ten minutes, so the treatment was ended.",
            "Check contact and hand switch; start again when you are ready.",
        ),
        Notice.ZONE_TIME: guide_texts.ZONE_TIME,
        Notice.ZONE_EXPOSURE: guide_texts.ZONE_EXPOSURE,
        Notice.ZONE_SUCTION: guide_texts.ZONE_SUCTION,
        Notice.HELD: guide_texts.HELD,
        Notice.NO_SCREEN: guide_texts.NO_SCREEN,
        Notice.STOPPED_AT_UNIT: _tell(
            "C15", "The unit was stopped from elsewhere.", "Start again when you are ready."
        ),
        Notice.RECORD_LOST: RECORD_LOST,
        Notice.NOT_RECORDED: NOT_RECORDED,
        Notice.RECORD_BROKEN: RECORD_BROKEN,
        Notice.LEASE_PROOF: LEASE_PROOF,
        Notice.UNIT_LOCKED: LOCKED,
        Notice.DWELL_WARNING: _tell("S07", "The tip stands still.", "Keep the tip moving.", _LOW),
    }
)  # fmt: skip
