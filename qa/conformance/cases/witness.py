"""Cases of the witness: what a unit keeps of the records of its hosts.

A unit of minor 0 has none of it and passes. The kit uses journals of its own; the last case makes
the unit forget those of its hosts, which their next treatment tells it anew.
"""

from typing import Final

from firmware_protocol.messages import WITNESSED_MAX, WitnessAsk, WitnessHead, WitnessKeep
from firmware_protocol.schema import SINCE
from firmware_protocol.vocabulary import Refusal
from qa.conformance.bench import Bench
from qa.conformance.case import Group
from qa.conformance.verdicts import NonconformityError, expect

GROUP = Group()
case = GROUP.case

JOURNAL: Final = (0xC0FFEE00, 0x0BADCAFE)
HASH: Final = (0x01234567, 0x89ABCDEF, 0xFEDCBA98)
ROW: Final = 1_000


def _keep(row: int = ROW, journal: tuple[int, int] = JOURNAL, **changes: int) -> WitnessKeep:
    return WitnessKeep(*journal, row, *HASH, 0)._replace(**changes)


async def _kept(bench: Bench, journal: tuple[int, int] = JOURNAL) -> WitnessHead:
    answer = await bench.peer.ask(WitnessAsk(*journal))
    if not isinstance(answer, WitnessHead):
        raise NonconformityError(f"WITNESS_ASK was answered with {answer}")
    return answer


async def _begins(bench: Bench) -> bool:
    """Open a session and let the unit keep the row of this kit; False where it is of minor 0."""
    ident = await bench.fresh()
    if ident.minor < SINCE[WitnessKeep]:
        return False
    await bench.done(_keep(decided=1))  # whatever an earlier run of the kit has left
    return True


@case("C84", "WITNESS_ASK is answered with row and hash that the unit was told of last, and with "
      "row 0 for a journal of which it was told none.", "H58")  # fmt: skip
async def the_row_that_was_told_is_kept(bench: Bench) -> None:
    if not await _begins(bench):
        return
    await bench.done(_keep(ROW + 1, hash_low=7))
    kept = await _kept(bench)
    said = (kept.row, kept.hash_high, kept.hash_middle, kept.hash_low)
    expect(said == (ROW + 1, HASH[0], HASH[1], 7), f"the unit keeps {kept}")
    other = await _kept(bench, (0, JOURNAL[1]))
    expect(other.row == 0, f"of a journal that it was never told of the unit keeps {other}")
    expect(other.kept == kept.kept, f"it keeps {kept.kept} journals and {other.kept}")


@case("C85", "A row never goes back: WITNESS_KEEP of a lower one, or of another hash of the same, "
      "is refused with WITNESS_AHEAD and changes nothing, unless it is decided, which is counted.",
      "H58")  # fmt: skip
async def a_row_never_goes_back(bench: Bench) -> None:
    if not await _begins(bench):
        return
    before = await _kept(bench)
    for back in (_keep(ROW - 1), _keep(hash_high=1)):
        refusal = await bench.outcome(back)
        expect(refusal is Refusal.WITNESS_AHEAD, f"{back}: refusal {refusal.name}")
    after = (await _kept(bench))._replace(request_seq=before.request_seq)
    expect(after == before, f"a refused row changed {before} into {after}")
    await bench.done(_keep())
    await bench.done(_keep(ROW - 1, decided=1))
    put_back = await _kept(bench)
    expect(put_back.row == ROW - 1, f"a decided row is not kept: {put_back}")
    counted = min(before.decided + 1, 255)
    expect(put_back.decided == counted, f"{put_back.decided} decisions, not {counted}")


@case("C86", "While a treatment is armed WITNESS_KEEP is refused with WRONG_MODE, and WITNESS_ASK "
      "is answered.", "H58")  # fmt: skip
async def nothing_is_kept_while_armed(bench: Bench) -> None:
    if not await _begins(bench):
        return
    await bench.armed()
    refusal = await bench.outcome(_keep(ROW + 5))
    expect(refusal is Refusal.WRONG_MODE, f"refusal {refusal.name}")
    expect((await _kept(bench)).row == ROW, "a refused row is kept")


@case("C87", "The ends of four journals are kept, and a fifth replaces the one that was told "
      "longest ago.", "H58")  # fmt: skip
async def four_journals_are_kept(bench: Bench) -> None:
    if not await _begins(bench):
        return
    journals = [(JOURNAL[0], number) for number in range(1, WITNESSED_MAX + 1)]
    for journal in journals[:-1]:
        await bench.done(_keep(journal=journal, decided=1))
    await bench.done(_keep(ROW + 1))  # told again: now it is the newest
    await bench.done(_keep(journal=journals[-1], decided=1))
    rows = [(await _kept(bench, journal)).row for journal in (JOURNAL, *journals)]
    expect(rows == [ROW + 1, 0, *[ROW] * (WITNESSED_MAX - 1)], f"rows {rows}")
