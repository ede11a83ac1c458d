"""The numbers that a printed cell can stand for."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lnm_kit.errors import InputError
from lnm_kit.published import parse_number

# Slack for floating point: an end of the range, such as 0.8125 printed as 0.813, belongs to it.
SLACK = 1e-9

_NOTHING = {"", "-", "–", "—", "n/a", "na", "nan", "ref", "reference", "ns", "n.s.", "/"}
_NUMBER = r"[-−]?\d+(?:\.\d+)?\s*%?"


@dataclass(frozen=True)
class Range:
    """All numbers from `lo` to `hi`, both included.

    Examples
    --------
    >>> Range(0.1, 0.2).meets(Range(0.2, 0.5))
    True
    """

    lo: float
    hi: float

    def meets(self, other: "Range") -> bool:
        """Whether the two have a number in common."""
        slack = SLACK * max(1.0, abs(self.lo), abs(other.lo))
        return self.lo <= other.hi + slack and other.lo <= self.hi + slack

    def holds(self, value: float) -> bool:
        """Whether the number lies in the range."""
        return self.meets(Range(value, value))

    @property
    def middle(self) -> float:
        """Half way between the ends."""
        return (self.lo + self.hi) / 2


def is_missing(text: str) -> bool:
    """Whether a cell holds no number on purpose: empty, N/A, Ref, a dash.

    Examples
    --------
    >>> is_missing("N/A"), is_missing("0.5")
    (True, False)
    """
    return text.strip().lower() in _NOTHING


def printed_range(text: str, *, percent: bool = False, rounded: bool = True) -> Range:
    r"""Give the numbers that print as `text`.

    A number x printed with d decimals stands for :math:`[x - \frac12 10^{-d}, x + \frac12
    10^{-d}]`. Both ends belong to it, so that halves may have been rounded up, down or to even.

    Parameters
    ----------
    text
        A printed number, `< number`, or `> number`; a percent sign divides by 100.
    percent
        The column is in percent without the sign.
    rounded
        False: digits were cut off, :math:`[x, x + 10^{-d}]`.

    Raises
    ------
    InputError
        When the text is no printed number.

    Examples
    --------
    >>> printed_range("0.64")
    Range(lo=0.635, hi=0.645)
    >>> printed_range("88.5%")
    Range(lo=0.8845, hi=0.8855)
    >>> printed_range("< 0.001")
    Range(lo=0.0, hi=0.001)
    """
    cell = text.strip()
    sign = cell[:1] if cell[:1] in "<>≤≥" else ""
    number = parse_number(cell.removeprefix(sign))
    scale = 100.0 if percent or "%" in cell else 1.0
    value = number.value / scale
    if sign:
        return Range(0.0, value) if sign in "<≤" else Range(value, math.inf)
    unit = 10.0**-number.decimals / scale
    below, above = (unit / 2, unit / 2) if rounded else (0.0, unit)
    return Range(round(value - below, 12), round(value + above, 12))


def printed_interval(text: str, *, percent: bool = False) -> tuple[Range, Range]:
    """Read a printed interval, `lower–upper`, with or without brackets.

    Raises
    ------
    InputError
        When the text is no interval. Ends in the wrong order are read as they stand.

    Examples
    --------
    >>> printed_interval("0.950–0.987")
    (Range(lo=0.9495, hi=0.9505), Range(lo=0.9865, hi=0.9875))
    """
    found = re.fullmatch(
        rf"[(\[]?\s*({_NUMBER})\s*(?:–|—|-|,|;|to)\s*({_NUMBER})\s*[)\]]?", text.strip()
    )
    if found is None:
        raise InputError(f"{text!r} is no printed interval such as '0.950–0.987'.")
    lower, upper = (printed_range(part, percent=percent) for part in found.groups())
    return lower, upper


def split_estimate(text: str) -> tuple[str, str]:
    """Part `estimate (lower–upper)` into its estimate and its interval, each "" where missing.

    Examples
    --------
    >>> split_estimate("0.543 (0.313–0.944)")
    ('0.543', '0.313–0.944')
    >>> split_estimate("Ref")
    ('', '')
    """
    if is_missing(text):
        return "", ""
    found = re.fullmatch(r"([^(\[]+)[(\[](.+)[)\]]", text.strip())
    return (text.strip(), "") if found is None else (found[1].strip(), found[2].strip())


def in_percent(cells: Iterable[str]) -> bool:
    """Whether a column of rates is printed in percent without the sign: a number above 1 tells.

    Examples
    --------
    >>> in_percent(["88.5", "N/A", "1.0"]), in_percent(["88.5%", "0.5"])
    (True, False)
    """
    numbers = [cell for cell in cells if re.fullmatch(r"\d+(?:\.\d+)?", cell.strip())]
    return any(float(cell) > 1 for cell in numbers)
