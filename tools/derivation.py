"""Where the time budgets come from: published anchors, the arithmetic, and the text about both.

A changed envelope changes the numbers of the text; what must hold between them is a test.
"""
# ruff: noqa: E501 (sentences of a document, with the names of constants where it has numbers)

from typing import Final, NamedTuple

from firmware_protocol import envelope as e

# -- published -------------------------------------------------------------------------------------
CHEEK_SC_UM: Final = 16.8  # mean stratum corneum of the cheek, the thinnest site measured there
STRIPPED_UM: Final = (10.0, 20.0)  # typical stratum corneum, gone after ...
STRIPPED_S: Final = 20.0  # ... this long at 30 kPa
EPIDERMIS_UM: Final = (50.0, 100.0)  # gone after ...
EPIDERMIS_S: Final = 60.0  # ... this long at 50 kPa
PETECHIAE_KPA: Final = ((10.9, 4.6), (9.9, 3.4))  # critical suction, mean and deviation: men, women
RESPIRABLE_MG_PER_M3: Final = 1.0  # ACGIH threshold limit value of aluminium compounds

# -- assumed for the derivation --------------------------------------------------------------------
RATE_UM_PER_S: Final = 2.0  # above everything that the anchors give, up to 1.7
RUNAWAY_FACTOR: Final = 3.0  # a valve fully open instead of metering
FAULT_SHARE: Final = 0.10  # of the cheek's stratum corneum, that one fault may add
USUAL_FLOW_G_PER_MIN: Final = 10.0  # the strongest program
ROOM_M3: Final = 20.0  # a small treatment room, no ventilation
PARTS_MS: Final = (
    ("sense", 20),
    ("filter and debounce", 60),
    ("decide", 10),
    ("valve shuts by its spring", 50),
    ("crystals left in the line", 80),
    ("margin", 30),
)
SHOWN_MS: Final = (50, 100, 250, 500, 1000)
_MS: Final = 1000


class Overshoot(NamedTuple):
    """What a time to safe costs."""

    after_ms: int
    usual_um: float
    runaway_um: float
    share_percent: float
    """Of the cheek's stratum corneum, at the runaway rate."""


def runaway_um_per_s() -> float:
    """Return the removal rate of the worst single fault."""
    return RATE_UM_PER_S * RUNAWAY_FACTOR


def tolerated_ms() -> float:
    """Return the time after which the worst single fault has added the share it may."""
    return FAULT_SHARE * CHEEK_SC_UM / runaway_um_per_s() * _MS


def overshoot(after_ms: int) -> Overshoot:
    """Return what is removed until the valve is shut after ``after_ms``."""
    usual = RATE_UM_PER_S * after_ms / _MS
    runaway = runaway_um_per_s() * after_ms / _MS
    return Overshoot(after_ms, usual, runaway, 100.0 * runaway / CHEEK_SC_UM)


def ejected_mg(flow_g_per_min: float, after_s: float) -> float:
    """Return the crystals that leave an open tip until the valve is shut."""
    return flow_g_per_min * _MS / 60.0 * after_s


def dwelt_um(after_s: float) -> float:
    """Return what a tip that stands still removes in one place at the rate of the derivation."""
    return RATE_UM_PER_S * after_s


def _ms(seconds: float) -> int:
    return round(seconds * _MS)


def _table(rows: tuple[tuple[str, ...], ...]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def render_derivation() -> str:
    """Return the chapter about the budgets."""
    costs = _table(
        tuple(
            (f"{one.after_ms} ms", f"{one.usual_um:.1f} µm", f"{one.runaway_um:.1f} µm",
             f"{one.share_percent:.0f} %")
            for one in map(overshoot, SHOWN_MS)
        )
    )  # fmt: skip
    parts = " + ".join(f"{what} {ms}" for what, ms in PARTS_MS)
    usual_mg = ejected_mg(USUAL_FLOW_G_PER_MIN, e.BUDGET_NO_CONTACT_S)
    worst_mg = ejected_mg(e.FLOW_SET_MAX_MG_PER_MIN / _MS, e.BUDGET_NO_CONTACT_S)
    (men, men_sd), (women, women_sd) = PETECHIAE_KPA
    lease_ms = e.LEASE_DEFAULT_MS + _ms(e.LEASE_MARGIN_S)
    return f"""\
## Where the budgets come from

The budgets are derived, not taken from a standard. They are to be replaced by bench data as soon as there are any.

**Anchors.** The stratum corneum measures {CHEEK_SC_UM} µm on the cheek [1], {STRIPPED_UM[0]:.0f} to {STRIPPED_UM[1]:.0f} µm typically [2]. On human skin under
a mask, {STRIPPED_S:.0f} s at 30 kPa removed the stratum corneum and {EPIDERMIS_S:.0f} s at 50 kPa the whole epidermis [3]: 0.5 to 1.0 and 0.8 to 1.7 µm/s. Removal
depends strongly on crystal flow and time and weakly on suction [4]; a tip that stands still raises micro-blisters [5].

**Flow, dwell, over-suction: {_ms(e.BUDGET_FLOW_S)} ms.** The derivation counts with {RATE_UM_PER_S:g} µm/s, above every anchor, and with
{RUNAWAY_FACTOR:g} times that, {runaway_um_per_s():g} µm/s, for a valve that stands fully open. A fault may add {100.0 * FAULT_SHARE:.0f} % of the cheek's
stratum corneum, {FAULT_SHARE * CHEEK_SC_UM:.2f} µm: {tolerated_ms():.0f} ms. Within it: {parts} = {sum(ms for _, ms in PARTS_MS)} ms.

| time to safe | added at {RATE_UM_PER_S:g} µm/s | at {runaway_um_per_s():g} µm/s | of the cheek's stratum corneum |
|---|---|---|---|
{costs}

**Flow without contact or suction: {_ms(e.BUDGET_NO_CONTACT_S)} ms.** At {USUAL_FLOW_G_PER_MIN:g} g/min an open tip throws {usual_mg:.0f} mg in this time, {worst_mg:.0f} mg at the most the
envelope allows. All of it airborne in {ROOM_M3:g} m³ would be {usual_mg / ROOM_M3:.2f} and {worst_mg / ROOM_M3:.2f} mg/m³, against a limit of {RESPIRABLE_MG_PER_M3:g} mg/m³ for the respirable fraction
of alumina [6]; grains of 100 µm are hardly respirable. The eye is the sharper reason: one grain scratches a cornea.

**Lease: {e.LEASE_DEFAULT_MS} + {_ms(e.LEASE_MARGIN_S)} = {lease_ms} ms.** A host that falls silent with an open valve must be inside of the same budget. Renewals come every
{_ms(e.SETPOINT_PERIOD_S)} ms, so that two in a row may be lost; the device clamps what a host asks for to {e.LEASE_MIN_MS} to {e.LEASE_MAX_MS} ms.

**Hand switch: {_ms(e.BUDGET_SWITCH_S)} ms.** Faster than the 200 ms of a simple human reaction, so that letting go is never the slow part. In every
sum below, "BUDGET_SWITCH_S" also stands for the time from a decision to the shut valve.

**Dwell: warn {e.DWELL_WARN_S:g} s, trip {e.DWELL_TRIP_S:g} s; {e.SEAL_UNBROKEN_MAX_S:g} s of unbroken seal, with and without a motion sensor.** Suction in use is above the critical
suction of petechiae ({men} ± {men_sd} kPa in men, {women} ± {women_sd} kPa in women, below the collarbone [7]), so its height protects nobody and its time must be
limited. At {RATE_UM_PER_S:g} µm/s a tip that stands for {e.DWELL_TRIP_S:g} s takes {dwelt_um(e.DWELL_TRIP_S):.0f} µm. Without a motion sensor the limit is what a stroke needs
(2 to 3 s, with a slow hand 6 s): a tip that stands still through all {e.SEAL_UNBROKEN_MAX_S:g} s could take {dwelt_um(e.SEAL_UNBROKEN_MAX_S):.0f} µm at that rate, about the whole
stratum corneum of a cheek. That residual risk is why a unit with a motion sensor is the better unit; the mean rate of [3] gives 6 µm.

**Over-suction: trip at {e.SUCTION_TRIP_PA / _MS:g} kPa.** Above every setpoint (face {e.SUCTION_FACE_MAX_PA / _MS:g}, body {e.SUCTION_SET_MAX_PA / _MS:g} kPa) with room for the regulator, below the
relief valve at 60 kPa, which needs no electronics.

**Corrupt frames: {e.BAD_FRAMES_SHORT_MAX} in {e.BAD_FRAMES_SHORT_S:g} s, {e.BAD_FRAMES_LONG_MAX} in an hour.** The check sum notices what it can; how often frames are damaged at all bounds how often it could
miss one [8].

Sources: [1] Egawa et al., Acta Derm Venereol 2007;87:4-8. [2] PMC3475846. [3] Andrews et al., Pharm Res 2013;30:1099-1109,
fig. 5 (PMC3596453). [4] Andrews et al., Int J Pharm 2011;407:95-104 (PMC3050026), excised porcine skin. [5] Gill et al. 2009 (PMC2731013). [6] ACGIH TLV
1 mg/m³ respirable; OSHA PEL 5 mg/m³ respirable, 15 mg/m³ total (osha.gov, chemical 217970). [7] Rinketsu 10(2):273 (jstage.jst.go.jp), 10 men and 10 women;
the time of exposure is not in the abstract. [8] OPC 10000-15 (OPC UA Safety). The thickness of the epidermis (50 to 100 µm) is textbook knowledge without
a source of its own here.
"""
