"""What one job of a campaign of treatments adds to its row, and how it is kept in a file."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """What a block adds to its row; arrays have one entry per client."""

    weights: Array
    chances: Array
    breaches: Array
    deeper: Array
    removed_um_mm2: Array
    treated_mm2: float
    lost_mm2: float
    hits: int
    early_zones: int
    zones: int
    early: int
    dwelled: int
    overdosed: int
    handpiece_s: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can carry it: every bit of an array in base64."""
        return {name: _told(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what ``as_json`` told."""
        return cls(**{name: _untold(value) for name, value in told.items()})


def _told(value: Any) -> Any:  # noqa: ANN401 - a field of any kind
    if not isinstance(value, np.ndarray):
        return value
    raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
    return {"dtype": value.dtype.str, "shape": list(value.shape), "base64": raw}


def _untold(value: Any) -> Any:  # noqa: ANN401 - as above
    if not isinstance(value, dict):
        return value
    raw = base64.b64decode(value["base64"])
    return np.frombuffer(raw, np.dtype(value["dtype"])).reshape(value["shape"])
