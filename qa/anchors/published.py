"""What each tail of the skin predicts at the doses that published treatments gave.

A tail is *contradicted* when it gives the published number of faces without an injury a chance
under 5 % although the rate is the lowest plausible one and the dose the lowest that the paper
allows. That is stated here before any run. No paper counts lost square millimetres: what they count
are scars, infections and lasting marks, which a square millimetre that heals within days is not. To
read "no injury" as "no square millimetre was lost" asks more of a tail than the papers do.
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from qa.anchors.experiment import WINDOW_MM
from qa.anchors.rows import Treatment
from qa.campaigns.exposure.dose_map import PLACE_MM
from qa.campaigns.exposure.outcomes import UNSCALED, Skins
from qa.campaigns.exposure.population import Tilt, draw_clients
from qa.campaigns.exposure.statistics import weighted_mean
from qa.campaigns.exposure.tables import skin_tables
from qa.skin.sites import thickness_of
from qa.skin.tails import Tail
from qa.skin.truth import Account, rate_under_tip, within_cv_of

CONTRADICTED_BELOW: Final = 0.05
CLIENTS: Final = 4000
ZONE: Final = "cheek_left"  # a face is thinner elsewhere: the thickest place predicts least
FACE_MM2: Final = 20_000.0
TILT: Final = Tilt(thickness=-1.0, hydration=0.8)
PLACES: Final = 64
"""Dose is even over the face, so that a few places stand for all of it."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One published series and one tail."""

    treatment: str
    tail: str
    depth_um: float
    """Mean over clients."""
    chance: float
    """That a face loses a connected square millimetre, or what the tail calls harm."""
    uninjured: float
    """The chance of as many faces without it as the paper tells."""

    lowest: bool
    """Whether the dose is the lowest that the paper allows."""

    @property
    def contradicted(self) -> bool:
        """Whether the paper speaks against the tail."""
        return self.lowest and self.uninjured < CONTRADICTED_BELOW


def predict(treatment: Treatment, name: str, tail: Tail, seed: int) -> Prediction:
    """Return what a tail predicts of a series at the lowest plausible rate."""
    clients = draw_clients(CLIENTS, Account.LOWEST, np.random.default_rng(seed), TILT)
    seconds = treatment.passes * pi / 4.0 * WINDOW_MM / treatment.speed_mm_per_s
    skin = clients.skin
    depth = seconds * rate_under_tip(
        skin,
        np.full(CLIENTS, treatment.flow_g_per_min),
        np.full(CLIENTS, treatment.suction_kpa),
    )
    share = tail.within_share
    spread = skin.within_cv if share is None else np.full(CLIENTS, within_cv_of(share))
    skins = Skins.empty(CLIENTS)
    skins.add_zone(
        np.broadcast_to(depth.astype(np.float32)[:, None, None], (CLIENTS, PLACES, 1)),
        thickness_of(ZONE) * skin.thickness_mean_um,
        skin.layer_um,
        spread,
        skin_tables(tail),
        tail.correlation_mm**2,
    )
    per_face = FACE_MM2 / (PLACES * PLACE_MM**2)
    chances = -np.expm1(-skins.breaches[:, UNSCALED] * per_face)
    chance = weighted_mean(chances, clients.weight).value
    mean_um = weighted_mean(depth, clients.weight).value
    faces = treatment.faces * treatment.sessions
    uninjured = float((1.0 - min(chance, 1.0)) ** faces)
    lowest = treatment.dose == "lowest"
    return Prediction(treatment.name, name, mean_um, chance, uninjured, lowest)
