"""Draw book/_static/study_map.svg: the five studies as lines through the steps they share."""

from dataclasses import dataclass
from pathlib import Path as File

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from lnm_kit.figures import PALETTE

MAP = File(__file__).resolve().parents[1] / "book" / "_static" / "study_map.svg"
INK, PAPER, STATION = "#1c2733", "#ffffff", "#f3f5f7"
TRACK = 0.105
"""Distance of neighboring lines, in rows."""

STUDIES = {
    "Lateral": PALETTE[0],
    "Large volume": PALETTE[1],
    "Occult central": PALETTE[2],
    "Contrast": PALETTE[3],
    "US + CT": PALETTE[4],
}
COLUMNS = ("Image", "Region", "What is read from it", "Brought together", "Judged")


@dataclass(frozen=True)
class Station:
    """A step: its words, its column, its row, and the studies that stop there."""

    words: str
    column: float
    row: float
    studies: tuple[int, ...]


ALL = (0, 1, 2, 3, 4)
STATIONS = (
    Station("B-mode\nultrasound", 0, 0.9, ALL),
    Station("contrast\nultrasound", 0, 2.35, (3,)),
    Station("CT", 0, 3.45, (4,)),
    Station("box around\nthe outline", 1, 1.9, ALL),
    Station("radiomics", 2, 0.55, (0, 1)),
    Station("network", 2, 2.6, ALL),
    Station("regression: scores\n+ clinical table", 3, 0.0, (0,)),
    Station("LASSO over\nall features", 3, 1.1, (1, 2)),
    Station("branches of one\nnetwork + reading\nof the neck", 3, 2.3, (3,)),
    Station("attention across\nboth images", 3, 3.45, (4,)),
    Station("patients\nheld out", 4, 1.2, ALL),
    Station("another\nhospital", 4, 2.8, (0, 1, 2, 4)),
)
ROUTES: tuple[tuple[int, int, int], ...] = (
    # study, from, to (numbers of stations)
    *((study, 0, 3) for study in ALL),
    (3, 1, 3),
    (4, 2, 3),
    (0, 3, 4),
    (1, 3, 4),
    *((study, 3, 5) for study in ALL),
    (0, 4, 6),
    (0, 5, 6),
    (1, 4, 7),
    (1, 5, 7),
    (2, 5, 7),
    (3, 5, 8),
    (4, 5, 9),
    (0, 6, 10),
    (1, 7, 10),
    (2, 7, 10),
    (3, 8, 10),
    (4, 9, 10),
    (0, 6, 11),
    (1, 7, 11),
    (2, 7, 11),
    (4, 9, 11),
)
HALF_WIDTH, SPACE = 0.33, 1.0


def half_height(station: Station) -> float:
    """Half of a station's height: room for its words and for its lines."""
    return max(0.18 + 0.13 * station.words.count("\n"), TRACK * len(station.studies) / 2 + 0.05)


def place(station: Station, study: int) -> float:
    """Row in which a study's line meets a station."""
    order = station.studies.index(study)
    return station.row + TRACK * (order - (len(station.studies) - 1) / 2)


def draw_line(axes: Axes, study: int, start: Station, end: Station) -> None:
    """Draw one study's line between two stations."""
    left = SPACE * start.column + HALF_WIDTH
    right = SPACE * end.column - HALF_WIDTH
    y0, y1 = place(start, study), place(end, study)
    middle = (left + right) / 2
    path = Path(
        np.array([[left, y0], [middle, y0], [middle, y1], [right, y1]]),
        [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
    )
    color = list(STUDIES.values())[study]
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=color, linewidth=3, zorder=1))


def draw_station(axes: Axes, station: Station) -> None:
    """Draw a station with its words."""
    height = half_height(station)
    axes.add_patch(
        FancyBboxPatch(
            (SPACE * station.column - HALF_WIDTH, station.row - height),
            2 * HALF_WIDTH,
            2 * height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=STATION,
            edgecolor=INK,
            linewidth=1.1,
            zorder=2,
        )
    )
    axes.text(
        SPACE * station.column,
        station.row,
        station.words,
        ha="center",
        va="center",
        fontsize=9.2,
        color=INK,
        zorder=3,
        linespacing=1.25,
    )


def main() -> None:
    """Draw the map and write it."""
    mpl.rcParams.update({"svg.hashsalt": "study map", "svg.fonttype": "path"})
    figure = Figure(figsize=(10.4, 5.0), facecolor=PAPER)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set(xlim=(-0.42, 4.42), ylim=(4.55, -0.95))
    axes.set_axis_off()
    for study, start, end in ROUTES:
        draw_line(axes, study, STATIONS[start], STATIONS[end])
    for station in STATIONS:
        draw_station(axes, station)
    for number, title in enumerate(COLUMNS):
        axes.text(
            SPACE * number, -0.75, title, ha="center", va="center", fontsize=11, weight="bold"
        ).set_color(INK)
    for number, (name, color) in enumerate(STUDIES.items()):
        x = -0.28 + 0.97 * number
        axes.plot([x, x + 0.16], [4.3, 4.3], color=color, linewidth=5, solid_capstyle="round")
        axes.text(x + 0.22, 4.3, name, va="center", fontsize=10, color=INK)
    figure.savefig(MAP, facecolor=PAPER, metadata={"Date": None})


if __name__ == "__main__":
    main()
