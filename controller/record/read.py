"""The door to the record for whoever only asks: no lock, no new file, and no kernel needed.

The command line reaches the record through this door and through `offline`, and in no other way.
"""

from controller.record.asker import plan_alone, plan_beside
from controller.record.backup import BackedUp, backup
from controller.record.cut_off import CutOff, CutZone, cut_off
from controller.record.history import ALL, Past, Wanted, past
from controller.record.planner import Purpose, request_of
from controller.record.whole import Checked, check

__all__ = (
    "ALL",
    "BackedUp",
    "Checked",
    "CutOff",
    "CutZone",
    "Past",
    "Purpose",
    "Wanted",
    "backup",
    "check",
    "cut_off",
    "past",
    "plan_alone",
    "plan_beside",
    "request_of",
)
