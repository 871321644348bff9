"""How often a lost unit is looked for."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from ``first_s`` to ``last_s``, ``tries_max`` of them."""

    first_s: float = 0.1
    last_s: float = 5.0
    tries_max: int = 720  # an hour at 5 s: a unit that is out for longer is connected by a person

    def pauses_s(self) -> Iterator[float]:
        """Yield the pause before each try."""
        pause_s = self.first_s
        for _ in range(self.tries_max):
            yield pause_s
            pause_s = min(2.0 * pause_s, self.last_s)
