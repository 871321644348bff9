"""The door to the record for whoever writes beside no kernel, under the writer's lock of the file.

The rules and the rows are those of the kernel (`beside`). Nothing is made where there is no record.
"""

from controller.record.decisions import accept_here
from controller.record.dismissal import dismiss_here
from controller.record.sterilised import sterilised_here
from controller.record.upgrade import Upgraded, upgrade
from controller.record.whole import Accepted, recover

__all__ = (
    "Accepted",
    "Upgraded",
    "accept_here",
    "dismiss_here",
    "recover",
    "sterilised_here",
    "upgrade",
)
