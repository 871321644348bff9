"""Pictures of simulated treatments: the map as PNG, charts as SVG. Needs the extra ``reports``."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qa.campaigns.exposure.statistics import Estimate
from qa.campaigns.exposure.studies import Frontier, Influence

if TYPE_CHECKING:
    from qa.skin.grid import Outcome

DPI: Final = 64
LEVELS: Final = 24
"""Of the map's colours, one scale of them for all its parts: it is for looking at, and small so."""
COLOURS: Final = 48
"""Of the whole map: the levels, and what its letters need between black and white."""
SHOWN_MIN: Final = 1e-9  # a rarer chance is told beside the axis
GOAL: Final = 1e-4
BLUE, ORANGE, GREY, GREEN = "#1f5fa8", "#c4581b", "#6b6b6b", "#2a7f4f"
"""Told apart by their markers and line styles, too."""


class NoMatplotlibError(ImportError):
    """Pictures were asked for, and the package that draws them is missing."""


def need_matplotlib() -> None:
    """Raise NoMatplotlibError before a campaign has run for hours, not after it."""
    _pyplot()


def _pyplot() -> Any:  # noqa: ANN401 - matplotlib is not there for the type checker of every user
    try:
        import matplotlib as mpl  # noqa: PLC0415 - only who asks for pictures
    except ImportError:
        raise NoMatplotlibError(
            "pictures need matplotlib: pip install 'corneum-qa[reports]'"
        ) from None
    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "corneum", "svg.fonttype": "none", "font.size": 10,
                         "axes.grid": True, "grid.alpha": 0.3})  # fmt: skip
    import matplotlib.pyplot as plt  # noqa: PLC0415

    return plt


def depth_map(outcome: "Outcome", cell_mm: float, margin_mm: float, title: str, stem: Path) -> None:
    """Draw what one zone lost, and the thickness that it had, side by side at one scale."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(12.5, 4.2), constrained_layout=True)
    size = outcome.depth_um.shape[0] * cell_mm
    extent = (-margin_mm, size - margin_mm, size - margin_mm, -margin_mm)
    maps = (
        ("mean depth removed, µm", outcome.depth_um),
        ("thickness of the stratum corneum, µm", outcome.thickness_um),
        ("depth over thickness", outcome.depth_um / outcome.thickness_um),
    )
    colours = plt.get_cmap("magma", LEVELS)
    for axis, (words, values) in zip(axes, maps, strict=True):
        image = axis.imshow(values, extent=extent, cmap=colours, interpolation="nearest", vmin=0.0)
        axis.grid(visible=False)
        axis.add_patch(plt.Rectangle((0, 0), size - 2 * margin_mm, size - 2 * margin_mm,
                                     fill=False, color="white", lw=1, ls="--"))  # fmt: skip
        axis.set_title(words, fontsize=10)
        axis.set_xlabel("mm")
        figure.colorbar(image, ax=axis, shrink=0.85)
    figure.suptitle(title, fontsize=11)
    _save_map(figure, stem)


def frontier(central: Frontier, stem: Path) -> None:
    """Draw removed depth against the chance of a breach, for three ways to end a zone."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(8.0, 5.0), constrained_layout=True)
    for points, words, colour, style in (
        (central.knowing, "a controller that knows everything", GREEN, "-"),
        (central.caps, "the exposure cap alone (shares of thickness)", BLUE, "o-"),
        (central.times, "a fixed time alone (times the planned contact)", ORANGE, "s--"),
    ):
        axis.plot([p.breach.value for p in points], [p.depth_um for p in points], style,
                  color=colour, label=words, ms=5)  # fmt: skip
    for points, colour in ((central.caps, BLUE), (central.times, ORANGE)):
        for point in points:
            axis.annotate(f"{point.setting:g}", (point.breach.value, point.depth_um), fontsize=8,
                          color=colour, xytext=(4, -10), textcoords="offset points")  # fmt: skip
    axis.axvline(GOAL, color=GREY, ls=":", label="goal: 1 treatment in 10,000")
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:.0e}")
    axis.set_xlabel("chance that 1 mm² loses its whole stratum corneum, per treatment")
    axis.set_ylabel("mean depth removed, µm")
    axis.set_title("What safety costs: Refresh, average hand, posterior account")
    axis.legend(fontsize=8, loc="upper left")
    _save(figure, stem)


def sensitivity(base: Estimate, found: Sequence[Influence], stem: Path) -> None:
    """Draw how much rarer breaches become when one unknown is known."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(8.0, 3.8), constrained_layout=True)
    names = [each.words for each in reversed(found)]
    values = [each.breach.value for each in reversed(found)]
    axis.barh(names, values, color=BLUE)
    for number, value in enumerate(values):
        at = max(value, SHOWN_MIN)
        axis.annotate(f" {value:.1e}", (at, number), va="center", fontsize=8)
    axis.axvline(base.value, color=ORANGE, ls="--", label=f"nothing known: {base.value:.1e}")
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:.0e}")
    axis.set_xlim(max(min(values) / 3.0, SHOWN_MIN), max(base.value, *values) * 6.0)
    axis.set_xlabel("chance of a breach when this one is the same for everybody")
    axis.set_title("Which unknown matters most: Refresh, posterior account")
    axis.legend(fontsize=8, loc="lower right")
    _save(figure, stem)


def _save(figure: Any, stem: Path) -> None:  # noqa: ANN401
    stem.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(stem.with_suffix(".svg"), metadata={"Date": None})
    _pyplot().close(figure)


def _save_map(figure: Any, stem: Path) -> None:  # noqa: ANN401
    from PIL import Image  # noqa: PLC0415 - matplotlib brings it

    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI, format="png")
    _pyplot().close(figure)
    stem.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(drawn) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(stem.with_suffix(".png"), optimize=True)
