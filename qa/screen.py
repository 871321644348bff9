"""What the person at the unit reads on the screen and acts on: which zone comes next.

The hand knows the lamp of the handpiece and nothing else; the zone stands on the screen. Reading it
is part of the scenario, not of service or device: it changes no byte and needs no timer of its own.
"""

from pathlib import Path
from typing import Final

from controller.config.locate import shipped_configs
from controller.config.skin import read_sites
from controller.kernel.service import Kernel
from simulator.handpiece import Handpiece
from simulator.plant.hand import Lamp

LOOK_PERIOD_S: Final = 0.1  # as often as the screen shows something new
CURRENT: Final = "current"


class Screen:
    """The eyes between a kernel and the hand that works for it."""

    def __init__(self, kernel: Kernel, handpiece: Handpiece, configs: Path | None) -> None:
        self._kernel = kernel
        self._handpiece = handpiece
        self._configs = configs
        self._areas_cm2: dict[str, float] = {}
        self._seen: tuple[int, str] | None = None
        self._look_due_s = 0.0

    def look(self) -> None:
        """Tell hand and deposit log of a zone that is new; nobody looks up while crystals flow."""
        handpiece = self._handpiece
        now_s = handpiece.now_s
        if handpiece.plant.lamp is Lamp.ON or now_s < self._look_due_s:
            return
        self._look_due_s = now_s + LOOK_PERIOD_S
        here = self._shown()
        if here is None or here == self._seen:
            return
        self._seen = here
        _, zone = here
        handpiece.hand.begin_zone(self._area_cm2(zone))
        if handpiece.plant.deposit is not None:
            handpiece.plant.deposit.begin_zone(zone)

    def _shown(self) -> tuple[int, str] | None:
        """Return the treatment and its zone, or None where the screen shows none."""
        treatment = self._kernel.control.snapshot().treatment
        if treatment is None:
            return None
        zones = (each.zone for each in treatment.zones if each.state == CURRENT)
        zone = next(zones, None)
        return None if zone is None else (treatment.id, zone)

    def _area_cm2(self, zone: str) -> float:
        if not self._areas_cm2:
            sites = read_sites((self._configs or shipped_configs()) / "skin" / "sites.toml").sites
            self._areas_cm2 = {site.zone: site.area_cm2 for site in sites}
        return self._areas_cm2[zone]
