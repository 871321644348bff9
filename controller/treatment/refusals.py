"""What is written and shown when the unit itself refuses a setting that the host found allowed."""

from typing import Final

from controller.planning.plan import Plan
from controller.safety.limits import Limit, Quantity, Receipt, Source, resolve
from controller.treatment.conduct import Actions, Conduct
from controller.treatment.events import Finished, Note, Step
from controller.treatment.kinds import Kind
from firmware_protocol.vocabulary import Refusal

UNKNOWN: Final = float("nan")
_SETTINGS: Final = (Quantity.SUCTION_KPA, Quantity.FLOW_G_PER_MIN)


def noted(conduct: Conduct, step: Step, event: Finished) -> Actions:
    """Note that CONFIG lies outside of the unit's own envelope, with the receipt of each setting.

    The unit does not say which of its limits was the reason, so its limit is unknown and permits
    nothing.
    """
    if step is not Step.CONFIGURE or event.refusal is not Refusal.OUT_OF_ENVELOPE:
        return ()
    conduct.refused = tuple(_receipt(conduct.plan, quantity) for quantity in _SETTINGS)
    said = [receipt.as_dict() for receipt in conduct.refused]
    return (Note(Kind.REFUSED, {"step": step.value, "receipts": said}),)


def _receipt(plan: Plan, quantity: Quantity) -> Receipt:
    suction = quantity is Quantity.SUCTION_KPA
    asked = plan.suction_max_kpa if suction else plan.flow_max_g_per_min
    known = [each for stage in plan.stages for each in stage.receipts if each.quantity is quantity]
    highest = max(known, key=lambda each: each.allowed, default=None)
    chain = (Limit(Source.PROGRAM, quantity, asked),) if highest is None else highest.chain
    return resolve(quantity, asked, (*chain, Limit(Source.DEVICE, quantity, UNKNOWN))).as_refusal()
