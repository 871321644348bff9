"""The plots of a report: exposure and crystal flow over the time of a treatment."""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from controller.archive.report.drawing import GREY, INK, Point, line, shape, svg, words
from controller.archive.report.facts import Facts, Moved
from controller.safety.exposure import SECONDS_PER_MIN

WIDTH: Final = 520.0
HEIGHT: Final = 190.0
LEFT: Final = 46.0
RIGHT: Final = 14.0
TOP: Final = 14.0
BOTTOM: Final = 34.0
SIZE: Final = 10.0
DISC: Final = 7.0

POINTS_MAX: Final = 400
"""Points of one line; a plot of 17 cm shows no more."""

FLOW_OVER_S: Final = 1.0
"""Contact over which a mean flow is taken: rows come every half second, and crystals in grains."""

_TICKS: Final = (1.0, 2.0, 5.0, 10.0)
_COLOURS: Final = ("#123f6f", "#b3541e")
"""Of every other zone; each line carries the number of its zone as well."""


Series = Sequence[tuple[int, Sequence[Point]]]
"""The number of a zone, and the points of its line."""


class _Axes(NamedTuple):
    """The scales of one plot: seconds across, and up what ``quantity`` says with its unit."""

    quantity: str
    x_max: float
    y_max: float

    def at(self, x: float, y: float) -> Point:
        across = (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, x / self.x_max))
        up = (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, y / self.y_max))
        return LEFT + across, HEIGHT - BOTTOM - up


def exposure_plot(facts: Facts) -> str | None:
    """Return the bound of each zone in percent of its cap, over time; None without rows of it."""
    caps = {zone.zone: zone.planned.cap_um for zone in facts.zones}
    series = [
        (zone.number, [(move.after_s, 100 * move.bound_um / cap) for move in moves])
        for zone in facts.zones
        if (cap := caps[zone.zone]) and (moves := _of(facts.moves, zone.zone))
    ]
    top = max((y for _, points in series for _, y in points), default=0.0)
    axes = _axes(facts, "bound, % of the cap", max(100.0, top * 1.05))
    if axes is None or not series:
        return None
    drawn = _frame(axes)
    drawn.append(line([axes.at(0, 100), axes.at(axes.x_max, 100)], INK, 1.2, "5 3"))
    drawn.append(words("cap", (WIDTH - RIGHT - 4, axes.at(0, 100)[1] - 3), SIZE, "end"))
    return svg(WIDTH, HEIGHT, [*drawn, *_lines(axes, series, _at_end(axes, series))])


def flow_plot(facts: Facts) -> str | None:
    """Return the mean crystal flow on skin over time; None without rows of it."""
    series = [
        (zone.number, points)
        for zone in facts.zones
        if (points := list(_flows(_of(facts.moves, zone.zone))))
    ]
    set_to = [zone.planned.flow_g_per_min or 0.0 for zone in facts.zones]
    top = max([*set_to, *(y for _, points in series for _, y in points)], default=0.0)
    axes = _axes(facts, "crystals, g/min", top * 1.4)
    if axes is None or not series:
        return None
    frame = _frame(axes)
    return svg(WIDTH, HEIGHT, [*frame, *_lines(axes, series, _above(axes, series))])


def _of(moves: Sequence[Moved], zone: str) -> list[Moved]:
    own = [move for move in moves if move.zone == zone]
    every = math.ceil(len(own) / POINTS_MAX) or 1
    return [*own[:-1:every], *own[-1:]]


def _flows(moves: Sequence[Moved]) -> Iterable[Point]:
    """Yield the mean flow over each second of contact, at its end."""
    begun = moves[0] if moves else None
    for move in moves:
        if begun is None or not move.contact_s - begun.contact_s >= FLOW_OVER_S:
            continue
        contact_s = move.contact_s - begun.contact_s
        yield move.after_s, (move.grams - begun.grams) / contact_s * SECONDS_PER_MIN
        begun = move


def _axes(facts: Facts, quantity: str, y_max: float) -> _Axes | None:
    x_max = max((move.after_s for move in facts.moves), default=0.0)
    usable = 0.0 < x_max < math.inf and 0.0 < y_max < math.inf
    return _Axes(quantity, x_max * 1.02, y_max) if usable else None


def _at_end(axes: _Axes, series: Series) -> list[Point]:
    """Return where the number of each line stands: over its end."""
    ends = [axes.at(*points[-1]) for _, points in series]
    return _apart([(x, y - 9.0) for x, y in ends])


def _above(axes: _Axes, series: Series) -> list[Point]:
    """Return where the number of each line stands: above the middle of it."""
    top_y = axes.at(0.0, axes.y_max)[1] + 9.0
    return _apart(
        [(axes.at((points[0][0] + points[-1][0]) / 2, 0.0)[0], top_y) for _, points in series], 1.0
    )


def _apart(places: Sequence[Point], way: float = -1.0) -> list[Point]:
    """Move each place that would cover an earlier one, up or down."""
    found: list[Point] = []
    for x, y in places:
        at = (min(x, WIDTH - RIGHT - DISC - 1), y)
        for _ in places:  # at most once for each of the others
            if not any(_covers(at, other) for other in found):
                break
            at = (at[0], at[1] + way * DISC)
        found.append(at)
    return found


def _covers(one: Point, other: Point) -> bool:
    return math.dist(one, other) < 2 * DISC + 1


def _lines(axes: _Axes, series: Series, numbers: Sequence[Point]) -> list[str]:
    drawn = []
    for at, ((number, points), (x, y)) in enumerate(zip(series, numbers, strict=True)):
        colour = _COLOURS[at % len(_COLOURS)]
        places = [axes.at(*point) for point in points]
        drawn.append(line(places, colour, 1.6, "" if at % 2 == 0 else "6 2"))
        drawn.append(shape("circle", cx=x, cy=y, r=DISC, fill="#ffffff", stroke=colour))
        drawn.append(words(str(number), (x, y + 3.5), SIZE, "middle"))
    return drawn


def _frame(axes: _Axes) -> list[str]:
    drawn = []
    for y in _ticks(axes.y_max):
        left, right = axes.at(0, y), axes.at(axes.x_max, y)
        drawn.append(line([left, right], "#dddddd", 0.8))
        drawn.append(words(f"{y:g}", (LEFT - 5, left[1] + 3.5), SIZE, "end"))
    for x in _ticks(axes.x_max):
        foot = axes.at(x, 0)
        drawn.append(line([foot, (foot[0], foot[1] + 4)], GREY))
        drawn.append(words(f"{x:g}", (foot[0], foot[1] + 14), SIZE, "middle"))
    drawn.append(line([axes.at(0, axes.y_max), axes.at(0, 0), axes.at(axes.x_max, 0)], INK))
    drawn.append(words(axes.quantity, (2, 9), SIZE))
    drawn.append(words("s since the treatment began", (WIDTH - RIGHT, HEIGHT - 5), SIZE, "end"))
    return drawn


def _ticks(most: float) -> list[float]:
    """Return about five round values from 0 to at most ``most``."""
    rough = most / 5
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(tick * magnitude for tick in _TICKS if tick * magnitude >= rough)
    return [round(step * number, 10) for number in range(int(most / step) + 1)]
