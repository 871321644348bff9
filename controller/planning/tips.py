"""One tip, one client: who may be treated with the tip that is fitted (H26).

The unit reads which kind of tip it carries, not which one. The single tip is known by the label
that a person reads from it or from its pack; its past is what the record says about that label.
"""

from dataclasses import dataclass
from typing import Final

from controller.planning.client import Client
from controller.planning.unit import Reuse, Unit
from controller.safety.refusal import Refusal

LABEL_MAX: Final = 64  # the longest code on a pack (GS1 element string) has some fifty characters
VISIT_MAX_S: Final = 12 * 3_600.0
"""One visit of one client, from the first use of the tip: as long as a treatment may be resumed."""

LABEL_WORDS: Final = f"1 to {LABEL_MAX} letters, digits or signs, as they stand on it or its pack"


@dataclass(frozen=True, slots=True)
class TipUse:
    """A treatment that was begun with a tip."""

    treatment: int
    client: str
    began_wall_s: float
    reuse: Reuse
    """What was known about the tip then."""
    cleaned: bool
    """A sterilisation was recorded after its end."""


@dataclass(frozen=True, slots=True)
class TipPast:
    """A tip by its label, and its uses in records of the same kind, oldest first."""

    label: str
    uses: tuple[TipUse, ...]


def label_of(text: str) -> str | None:
    """Return the label that ``text`` means, or None where it can be none.

    Blanks and case are no difference: the same tip is typed today and scanned tomorrow.
    """
    label = "".join(text.split()).upper()
    return (
        label if 0 < len(label) <= LABEL_MAX and label.isascii() and label.isprintable() else None
    )


def is_tracked(unit: Unit, client: Client) -> bool:
    """Return False where no skin is touched: a practice client, or a simulated tip without rule."""
    return unit.tip.reuse is not None and not client.practice


def tip_refusal(
    unit: Unit, client: Client, past: TipPast | None, now_wall_s: float
) -> Refusal | None:
    """Return why ``client`` may not be treated with the fitted tip; None where nothing is against.

    ``past`` is None where nobody has ever said which tip the unit carries.
    """
    if not is_tracked(unit, client):
        return None
    if past is None:
        return Refusal(
            "tip_unnamed",
            f"Nobody has said which tip is fitted to handpiece {unit.serial}.",
            f"Fit a clean one and name it by its label: --tip LABEL ({LABEL_WORDS}).",
        )
    single = unit.tip.reuse is Reuse.SINGLE or any(use.reuse is Reuse.SINGLE for use in past.uses)
    unclean = [use for use in past.uses if single or not use.cleaned]
    foreign = next((use for use in reversed(unclean) if use.client != client.ref), None)
    if foreign is not None:
        return _used(past.label, foreign, "for another client", single=single)
    if not unclean or 0.0 <= now_wall_s - unclean[0].began_wall_s <= VISIT_MAX_S:
        return None
    return _used(past.label, unclean[0], "at an earlier visit", single=single)


def _used(label: str, use: TipUse, whose: str, *, single: bool) -> Refusal:
    used = f"Tip {label} was used {whose} (treatment {use.treatment})"
    if single:
        return Refusal(
            "tip_used",
            f"{used} and is for single use.",
            "Fit a fresh tip and name it by its label: --tip LABEL.",
        )
    return Refusal(
        "tip_unclean",
        f"{used} and no sterilisation of it is recorded since.",
        f"Fit a clean tip and name it (--tip LABEL), or sterilise this one and record it: "
        f"corneum sterilised {label}.",
    )
