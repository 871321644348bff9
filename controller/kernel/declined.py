"""What the kernel declines by itself, beside what a treatment declines: in words for people."""

from typing import Final

from controller.treatment.events import Declined

NO_UNIT: Final = Declined(
    "no_unit", "No unit is connected.", "Check its cable and power; `corneum doctor` looks closer."
)
WRONG_UNIT: Final = Declined(
    "wrong_unit", "The plan was made for another unit.", "Plan anew for the unit that is connected."
)
BUSY: Final = Declined("busy", "A treatment is under way.", "Wait for its end, or stop it.")
NOT_WRITTEN: Final = Declined(
    "record", "It was done, but its record is not written yet.", "Check the disk of the record."
)
