"""A plan as a picture in a file: SVG or PNG, with patterns beside colours."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from controller.cli.outcome import Failure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES: Final = (".svg", ".png")
_HEIGHT_PER_ZONE_IN: Final = 0.42
_HEIGHT_FRAME_IN: Final = 1.6
_WIDTH_IN: Final = 8.0
_DPI: Final = 150


def check(file: Path) -> None:
    """Make sure that a picture can be drawn into ``file``; Failure says what is in the way."""
    if file.suffix.lower() not in SUFFIXES:
        raise Failure(
            f"A plan cannot be drawn as {file.name}.", "Name a file that ends in .svg or .png."
        )
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - an extra, and slow to load
    except ImportError as error:
        raise Failure(
            "Drawing needs matplotlib, which is not installed.",
            "Install it with: pip install 'corneum[reports]'.",
        ) from error


def draw(plan: dict[str, Any], file: Path) -> None:
    """Write the bars of a plan into ``file``."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    zones = plan["zones"]
    height_in = _HEIGHT_FRAME_IN + _HEIGHT_PER_ZONE_IN * len(zones)
    # The same plan gives the same bytes: no date, no random names.
    with mpl.rc_context({"svg.hashsalt": "corneum", "svg.fonttype": "none"}):
        figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        _bars(figure.add_subplot(), plan)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
        svg = file.suffix.lower() == ".svg"
        about = {"Title": _title(plan), "Date": None} if svg else {"Title": _title(plan)}
        try:
            figure.savefig(file, dpi=_DPI, metadata=about)
        except OSError as error:
            raise Failure(
                f"The plan cannot be drawn into {file} ({error.strerror}).", "Name another file."
            ) from error


def _title(plan: dict[str, Any]) -> str:
    return f"{plan['display_name']} for {plan['client']}: expected depth, its bound, and the cap"


def _bars(axes: "Axes", plan: dict[str, Any]) -> None:
    zones = plan["zones"]
    rows = list(range(len(zones)))
    nominal = [zone["expected_nominal_um"] for zone in zones]
    bound = [zone["expected_bound_um"] for zone in zones]
    cap = [zone["cap_um"] for zone in zones]
    axes.barh(
        rows, bound, height=0.6, color="#d9e4ee", edgecolor="#33506b", hatch="///",
        label="bound: 95th centile in the worst place",
    )  # fmt: skip
    axes.barh(rows, nominal, height=0.6, color="#33506b", label="expected depth, mean of the zone")
    axes.vlines(
        cap, [row - 0.4 for row in rows], [row + 0.4 for row in rows], colors="black",
        linewidth=2.5, label="cap of the zone",
    )  # fmt: skip
    for row, (mean_um, most_um, cap_um) in enumerate(zip(nominal, bound, cap, strict=True)):
        axes.annotate(
            f"{mean_um:.2f} / {most_um:.2f} / {cap_um:.2f}", (cap_um, row),
            xytext=(6, 0), textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    axes.set_yticks(rows, [zone["display"] for zone in zones])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.3 * max(cap))
    axes.set_xlabel("depth, µm")
    axes.set_title(_title(plan), loc="left", fontsize=10)
