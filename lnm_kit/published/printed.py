"""Printed cells to numbers, with the decimals they were printed with."""

import re
from dataclasses import dataclass

from lnm_kit.errors import InputError

_NUMBER = r"[-−]?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Number:
    """A printed number and how many decimals it was printed with."""

    value: float
    decimals: int

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed decimal: the largest rounding error."""
        return 0.5 * 10.0**-self.decimals

    def shifted(self, places: int) -> "Number":
        """Return the number in a unit that is `places` powers of ten larger.

        Examples
        --------
        >>> Number(7.36, 2).shifted(1)
        Number(value=0.736, decimals=3)
        """
        return Number(round(self.value / 10**places, 12), self.decimals + places)


@dataclass(frozen=True)
class Count:
    """A printed `n` or `n (percent%)`."""

    n: int
    percent: Number | None


@dataclass(frozen=True)
class MeanSd:
    """A printed `mean±SD`."""

    mean: Number
    sd: Number


@dataclass(frozen=True)
class Quartiles:
    """A printed `median (first quartile–third quartile)`."""

    first: Number
    median: Number
    third: Number


def parse_number(text: str) -> Number:
    """Read a printed number; a percent sign or a `<` before it is dropped.

    Raises
    ------
    InputError
        When the text is not one number.

    Examples
    --------
    >>> parse_number("0.640")
    Number(value=0.64, decimals=3)
    >>> parse_number("< 0.001").value
    0.001
    """
    found = re.fullmatch(rf"<?\s*({_NUMBER})\s*%?", text.strip())
    if found is None:
        raise InputError(f"{text!r} is no printed number such as '0.640', '< 0.001' or '88.5%'.")
    digits = found.group(1).replace("−", "-")
    return Number(float(digits), len(digits.partition(".")[2]))


def parse_count(text: str) -> Count:
    """Read a printed `n`, `n (percent)` or `n (percent%)`.

    Raises
    ------
    InputError
        When the text has another form.

    Examples
    --------
    >>> parse_count("213 (24.3%)")
    Count(n=213, percent=Number(value=24.3, decimals=1))
    >>> parse_count("21").percent is None
    True
    """
    found = re.fullmatch(rf"(\d+)(?:\s*\(({_NUMBER})%?\))?", text.strip())
    if found is None:
        raise InputError(f"{text!r} is no printed count such as '213' or '213 (24.3%)'.")
    percent = None if found.group(2) is None else parse_number(found.group(2))
    return Count(int(found.group(1)), percent)


def parse_mean_sd(text: str) -> MeanSd:
    """Read a printed `mean±SD`.

    Raises
    ------
    InputError
        When the text has another form.

    Examples
    --------
    >>> parse_mean_sd("43.3±11.6").sd.value
    11.6
    """
    found = re.fullmatch(rf"({_NUMBER})\s*±\s*({_NUMBER})", text.strip())
    if found is None:
        raise InputError(f"{text!r} is no printed mean and SD such as '43.3±11.6'.")
    return MeanSd(parse_number(found.group(1)), parse_number(found.group(2)))


def parse_quartiles(text: str) -> Quartiles:
    """Read a printed `median (first quartile–third quartile)`, or with a comma for the dash.

    Raises
    ------
    InputError
        When the text has another form.

    Examples
    --------
    >>> parse_quartiles("6.1 (4.7–7.8)").third.value
    7.8
    >>> parse_quartiles("41.0 (33.0, 52.0)").first.value
    33.0
    """
    found = re.fullmatch(rf"({_NUMBER})\s*\(({_NUMBER})\s*[–,-]\s*({_NUMBER})\)", text.strip())
    if found is None:
        raise InputError(f"{text!r} is no printed median and quartiles such as '6.1 (4.7–7.8)'.")
    median, first, third = (parse_number(part) for part in found.groups())
    return Quartiles(first, median, third)
