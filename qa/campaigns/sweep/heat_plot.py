"""The picture of the fault matrix, drawn by matplotlib (the extra ``reports``)."""

from pathlib import Path
from typing import Any, Final

from qa.campaigns.sweep.heat import COLOURS, NOTHING_DUE, OVER
from qa.campaigns.sweep.run import Swept
from qa.matrix.campaign import worst
from qa.matrix.cells import Stage
from qa.matrix.rows import ROWS

ROW_IN: Final = 0.17
WIDTH_IN: Final = 8.0
MARGIN_IN: Final = 1.2
DOTS_PER_IN: Final = 130


def draw(swept: Swept, path: Path) -> None:
    """Write the worst share of the budget of each row and state as a PNG."""
    from matplotlib.colors import BoundaryNorm, ListedColormap  # noqa: PLC0415 - half a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    times = worst(swept.verdicts)
    seen = {verdict.cell.row for verdict in swept.verdicts}
    names = [name for name in ROWS if name in seen]
    shares = [[_share(times, name, stage) for stage in Stage] for name in names]
    figure = Figure(figsize=(WIDTH_IN, MARGIN_IN + ROW_IN * len(names)), layout="constrained")
    axes = figure.subplots()
    palette: Any = ListedColormap([colour for _, colour in COLOURS])
    colours = palette.with_extremes(over=OVER, bad=NOTHING_DUE)
    limits = [0.0, *(limit for limit, _ in COLOURS)]
    image = axes.imshow(shares, cmap=colours, norm=BoundaryNorm(limits, colours.N), aspect="auto")
    axes.set_xticks(range(len(Stage)), [stage.value for stage in Stage], fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=6)
    axes.xaxis.tick_top()
    axes.set_title("Worst time until safe, in ms; grey: nothing was due", fontsize=9)
    for row, name in enumerate(names):
        for column, stage in enumerate(Stage):
            if (name, stage) in times:
                text = f"{times[name, stage] * 1000:.0f}"
                axes.text(column, row, text, ha="center", va="center", fontsize=6)
    figure.colorbar(image, ax=axes, extend="max", label="worst share of the budget")
    figure.savefig(path, dpi=DOTS_PER_IN, metadata={"Software": None})


def _share(times: dict[tuple[str, Stage], float], name: str, stage: Stage) -> float:
    budget_s, took_s = ROWS[name].budget_s, times.get((name, stage))
    return float("nan") if took_s is None or not budget_s > 0.0 else took_s / budget_s
