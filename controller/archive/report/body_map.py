"""The map of a report: the treated zones on face or body, shaded by the share of their caps.

A step has its own colour and its own pattern, so that it can be told without colour and on a copy;
the number in a zone is its number in the table.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from controller.archive.report.body_shapes import VIEWS, Part, View
from controller.archive.report.drawing import GREY, INK, path_points, shape, svg, words
from controller.archive.report.facts import ZoneFacts

GAP: Final = 14.0
CAPTION: Final = 26.0
LEGEND: Final = 62.0
LARGER: Final = 1.35
"""How much larger words are beside two drawings or more, which are drawn smaller."""
DISC: Final = 8.5


class Step(NamedTuple):
    """One step of the legend, up to a share of the cap."""

    below_share: float
    words: str
    colour: str
    pattern: str
    """Strokes of a tile of 6 by 6."""


STEPS: Final = (
    Step(0.25, "under 25 %", "#e4eef6", ""),
    Step(0.50, "25 to 50 %", "#a9cde6", "M3,3 h0.01"),
    Step(0.75, "50 to 75 %", "#6aa5d2", "M0,6 L6,0"),
    Step(1.00, "75 to 100 %", "#3876b2", "M0,3 H6"),
    Step(float("inf"), "cap reached", "#123f6f", "M0,6 L6,0 M0,0 L6,6"),
)
"""From light to dark in one hue, which every kind of colour vision tells apart."""

_STROKES: Final = ("", "#1a1a1a", "#123f6f", "#e4eef6", "#ffffff")


def step_of(share: float | None) -> int | None:
    """Return the step of a share of a cap; None where it is not known."""
    if share is None:
        return None
    return next((at for at, step in enumerate(STEPS) if share < step.below_share), None)


def body_map(zones: Sequence[ZoneFacts]) -> tuple[str, float] | None:
    """Return the drawing and its width; None where no zone has a place on it."""
    known = {zone.zone: zone for zone in zones}
    views = [view for view in VIEWS if known.keys() & view.parts.keys()]
    if not views:
        return None
    width = sum(view.width_px for view in views) + GAP * (len(views) - 1)
    height = max(view.height_px for view in views)
    larger = LARGER if len(views) > 1 else 1.0
    caption, legend = CAPTION * larger, LEGEND * larger
    parts, x = [_patterns()], 0.0
    for number, view in enumerate(views):
        parts.append(f'<g transform="translate({x:g} 0)">{_view(view, known, number)}</g>')
        parts += _caption(view, x + view.width_px / 2, height + 11 * larger, larger)
        x += view.width_px + GAP
    place = f"translate({width / 2 - 99 * larger:g} {height + caption:g}) scale({larger:g})"
    parts.append(f'<g transform="{place}">{_legend()}</g>')
    return svg(width, height + caption + legend, parts), width


def map_in_words(zones: Sequence[ZoneFacts]) -> str:
    """Say what the map shows."""
    titles = [view.title for view in VIEWS if {zone.zone for zone in zones} & view.parts.keys()]
    told = [f"{zone.number} {zone.display}: {_share_words(zone)}" for zone in zones]
    return f"Map of the zones. {'. '.join(titles)}. Share of the cap used: {'; '.join(told)}."


def not_on_map(zones: Sequence[ZoneFacts]) -> list[ZoneFacts]:
    """Return the zones that no drawing shows."""
    drawn = {name for view in VIEWS for name in view.parts}
    return [zone for zone in zones if zone.zone not in drawn]


def _share_words(zone: ZoneFacts) -> str:
    share = zone.share
    if share is None:
        return "not known"
    return f"{100 * share:.0f} %" if zone.touched else "not treated"


def _view(view: View, known: Mapping[str, ZoneFacts], number: int) -> str:
    clip = f"outline-{number}"
    shapes = [
        f'<clipPath id="{clip}"><path d="{view.outline}"/></clipPath>',
        shape("path", d=view.outline, fill="#fbfaf8", stroke="none"),
    ]
    zones = [_zone(part, known[name]) for name, part in view.parts.items() if name in known]
    shapes.append(f'<g clip-path="url(#{clip})">{"".join(zones)}</g>')
    shapes += [
        shape("path", d=path, fill="#ffffff", stroke=GREY, stroke_width=0.8) for path in view.never
    ]
    shapes.append(shape("path", d=view.outline, fill="none", stroke=INK, stroke_width=1.4))
    for name, part in view.parts.items():
        if name in known:
            shapes += _label(part, known[name])
    return "".join(shapes)


def _zone(part: Part, zone: ZoneFacts) -> str:
    step = step_of(zone.share) if zone.touched else None
    drawn = []
    for polygon in part.polygons:
        points = path_points(polygon)
        colour = "#ffffff" if step is None else STEPS[step].colour
        drawn.append(shape("polygon", points=points, fill=colour, stroke=INK, stroke_width=0.8))
        if step is not None and STEPS[step].pattern:
            drawn.append(shape("polygon", points=points, fill=f"url(#step-{step})"))
    return "".join(drawn)


def _label(part: Part, zone: ZoneFacts) -> list[str]:
    x, y = part.label
    size = 11.0 if zone.number < 10 else 10.0  # noqa: PLR2004  two digits
    return [
        shape("circle", cx=x, cy=y, r=DISC, fill="#ffffff", stroke=INK, stroke_width=0.8),
        words(str(zone.number), (x, y + size / 3), size, "middle"),
    ]


def _caption(view: View, middle: float, y: float, larger: float) -> list[str]:
    first, _, second = view.title.partition("; ")
    return [
        words(first, (middle, y), 8.5 * larger, "middle"),
        words(second, (middle, y + 10 * larger), 8.5 * larger, "middle"),
    ]


def _patterns() -> str:
    tiles = "".join(
        f'<pattern id="step-{at}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path d="{step.pattern}" stroke="{_STROKES[at]}" stroke-width="{1.6 if at == 1 else 1}" '
        'stroke-linecap="round" fill="none"/></pattern>'
        for at, step in enumerate(STEPS)
        if step.pattern
    )
    return f"<defs>{tiles}</defs>"


def _legend() -> str:
    drawn = [words("Share of its cap that each zone has used", (100, 9), 9, "middle")]
    # Two in a row: a browser has a typeface of its own, and most are wider than that of the PDF.
    places = [(x, y) for y in (16.0, 32.0, 48.0) for x in (14.0, 110.0)]
    for (x, y), at in zip(places, [*range(len(STEPS)), None], strict=True):
        colour = "#ffffff" if at is None else STEPS[at].colour
        box = {"x": x, "y": y, "width": 14.0, "height": 10.0}
        drawn.append(shape("rect", **box, fill=colour, stroke=INK, stroke_width=0.8))
        if at is not None and STEPS[at].pattern:
            drawn.append(shape("rect", **box, fill=f"url(#step-{at})"))
        said = "not treated" if at is None else STEPS[at].words
        drawn.append(words(said, (x + 18, y + 8.5), 9))
    return "".join(drawn)
