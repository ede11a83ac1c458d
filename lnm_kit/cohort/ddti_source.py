"""The public form of DDTI: one XML a case, its frames as JPG, outlines as polygons."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon

from lnm_kit.errors import InputError

Pixels = NDArray[np.generic]
Points = NDArray[np.float64]
FIELDS = (
    *("age", "sex", "composition", "echogenicity", "margins"),
    *("calcifications", "tirads"),
)
BLACK = 6
DENSE_WINDOW_PX = 15
LIT_SHARE = 0.2
DUAL_WIDTH_PX = 430


@dataclass
class SourceFrame:
    """The outlines of one frame; `fault` says why they cannot be used."""

    number: str
    outlines: list[Points] = field(default_factory=list)
    n_arrows: int = 0
    fault: str | None = None


@dataclass
class SourceCase:
    """One XML file: its fields as written, and its frames in the order of their numbers."""

    number: str
    fields: dict[str, str]
    frames: list[SourceFrame]


@dataclass(frozen=True)
class Box:
    """The rows and columns of a frame that hold the ultrasound image, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def is_dual(self) -> bool:
        """Whether two planes stand side by side.

        Single images are at most 389 columns wide, dual ones at least 486.
        """
        return self.right - self.left > DUAL_WIDTH_PX

    def crop(self, frame: Pixels) -> Pixels:
        """Return the box of a frame (H, W) or (H, W, 3)."""
        return frame[self.top : self.bottom, self.left : self.right]

    def __str__(self) -> str:
        return f"rows {self.top}-{self.bottom - 1}, columns {self.left}-{self.right - 1}"


def read_case(path: Path) -> SourceCase:
    """Read one XML file of DDTI.

    Parameters
    ----------
    path
        ``CASE.xml``.

    Raises
    ------
    InputError
        When the file is no XML of this form.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path.name} is broken XML ({error})") from None
    number = (root.findtext("number") or "").strip()
    if root.tag != "case" or number != path.stem:
        raise InputError(f"{path.name} is of case {number!r}, not {path.stem!r}")
    fields = {name: (root.findtext(name) or "").strip() for name in FIELDS}
    frames = [
        _read_mark((mark.findtext("image") or "").strip(), (mark.findtext("svg") or "").strip())
        for mark in root.findall("mark")
    ]
    numbers = [frame.number for frame in frames]
    for frame in frames:
        if not frame.number.isalnum():
            frame.fault = "a mark without frame number"
        elif numbers.count(frame.number) > 1:
            frame.fault = "several marks for one frame"
    return SourceCase(number, fields, sorted(frames, key=lambda frame: frame.number.zfill(4)))


def find_box(gray: Pixels) -> Box | None:
    """Find the ultrasound image in a frame, without the text and the scales around it.

    The largest connected area in which most pixels of every 15 x 15 window are not black, less
    the edge rows and columns of which under 20 % are lit. None when there is none.

    Parameters
    ----------
    gray
        uint8 (H, W).

    Examples
    --------
    >>> frame = np.zeros((360, 560), np.uint8)
    >>> frame[8:309, 87:472] = 80
    >>> print(find_box(frame))
    rows 8-308, columns 87-471
    """
    lit = np.asarray(gray, dtype=np.float32) > BLACK
    dense = ndimage.uniform_filter(lit.astype(np.float32), DENSE_WINDOW_PX) > 0.5
    areas, n_areas = ndimage.label(dense)
    if n_areas == 0:
        return None
    largest = int(np.argmax(np.bincount(areas.ravel())[1:]))
    rows, columns = ndimage.find_objects(areas)[largest]
    row_lit = np.flatnonzero(lit[rows, columns].mean(axis=1) >= LIT_SHARE) + rows.start
    column_lit = np.flatnonzero(lit[rows, columns].mean(axis=0) >= LIT_SHARE) + columns.start
    if row_lit.size == 0 or column_lit.size == 0:
        return None
    return Box(int(row_lit[0]), int(row_lit[-1]) + 1, int(column_lit[0]), int(column_lit[-1]) + 1)


def fill_outlines(
    outlines: list[Points], box: Box, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], float]:
    """Fill polygons and crop them to a box.

    Parameters
    ----------
    outlines
        Points (n, 2) as (x, y) in frame pixels.
    box
        Where the ultrasound image is.
    shape
        (H, W) of the frame.

    Returns
    -------
    mask
        bool, of the size of the box.
    outside
        Largest share of an outline's area that is outside of the box.

    Examples
    --------
    >>> square = np.array([[2.0, 2.0], [2.0, 5.0], [5.0, 5.0], [5.0, 2.0]])
    >>> mask, outside = fill_outlines([square], Box(0, 10, 0, 4), (10, 10))
    >>> mask.shape, int(mask.sum()), outside
    ((10, 4), 8, 0.5)
    """
    mask = np.zeros(shape, bool)
    outside = 0.0
    for points in outlines:
        rows, columns = polygon(points[:, 1], points[:, 0])
        inside = (rows >= box.top) & (rows < box.bottom)
        inside &= (columns >= box.left) & (columns < box.right)
        mask[rows[inside], columns[inside]] = True
        outside = max(outside, 1.0 - float(inside.mean()) if inside.size else 1.0)
    return np.asarray(box.crop(mask)), outside


def _read_mark(number: str, text: str) -> SourceFrame:
    if not text:
        return SourceFrame(number, fault="no marks")
    try:
        shapes = json.loads(text)
        arrows = [shape for shape in shapes if shape["regionType"] == "arrow"]
        drawn = [
            np.array([(point["x"], point["y"]) for point in shape["points"]], dtype=float)
            for shape in shapes
            if shape["regionType"] != "arrow"
        ]
    except json.JSONDecodeError:
        return SourceFrame(number, fault=f"the marks break off: {len(text)} characters")
    except (KeyError, TypeError, ValueError):
        return SourceFrame(number, fault="marks of another form than DDTI's")
    if not drawn:
        return SourceFrame(number, n_arrows=len(arrows), fault="no outline among the marks")
    if any(len(points) < 3 for points in drawn):
        return SourceFrame(number, fault="an outline of fewer than three points")
    return SourceFrame(number, drawn, len(arrows))
