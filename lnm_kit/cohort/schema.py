"""What a cohort folder's tables and its description may hold."""

import math
import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Annotated

import pandera.pandas as pa
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

MODALITIES = ("us", "ceus", "ct")
SPLITS = "training, validation, test, or test_ and a word (test_a, test_b)"
SPACING_MM = (0.01, 5.0)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

_NOT_A_VALUE = {"nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "inf", "-inf"}
_UNITS = ("years", "mm", "cm", "s", "m2", "ml", "percent", "hu", "db", "mhz")
_RANGES = {
    "age_years": (0.0, 120.0),
    "bmi_kg_m2": (8.0, 100.0),
    "tumor_size_cm": (0.05, 20.0),
    "n_foci": (1.0, 100.0),
    "aspect_ratio": (0.1, 10.0),
    "vascularity": (1.0, 4.0),
}
_BINARY = (
    *("braf_v600e", "clt", "taller_than_wide", "multifocal", "capsular_invasion", "ete"),
    *("margin_unclear", "shape_irregular", "capsular_contact", "discontinuous_capsule"),
    *("us_lnm", "label_lateral"),
)


class CohortInfo(BaseModel):
    """The description of a cohort, kept in ``cohort.toml``.

    `positive` says in words what label 1 means. `seed` and `signal` (how strongly the labels
    depend on the latent truth; 0 = not at all) are given for simulated cohorts, and only there.

    Examples
    --------
    >>> info = CohortInfo(name="ours", endpoint="lateral lymph node metastasis",
    ...     positive="metastasis in levels II-V at pathology", source="our hospital",
    ...     licence="not public", simulated=False)
    >>> info.signal is None
    True
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    endpoint: Text
    positive: Text
    source: Text
    licence: Text
    simulated: StrictBool
    seed: Annotated[int, Field(strict=True, ge=0)] | None = None
    signal: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _truth_is_declared(self) -> "CohortInfo":
        given = [name for name in ("seed", "signal") if getattr(self, name) is not None]
        if self.simulated and len(given) < 2:
            raise ValueError("a simulated cohort gives seed and signal")
        if not self.simulated and given:
            raise ValueError(f"{' and '.join(given)} only with simulated = true")
        return self


def cases_schema(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the schema of ``cases.csv`` with these columns, all of them text as in the file.

    Columns that the project knows have their own range; any other column whose name ends in a
    unit holds numbers. An empty field is an unknown value; the text "nan" is an error.

    Parameters
    ----------
    columns
        The names that the file has.

    Examples
    --------
    >>> schema = cases_schema(["case_id", "age_years", "scanner_mhz"])
    >>> schema.columns["age_years"].checks[0].error
    'a number from 0 to 120, or empty for unknown'
    """
    known = {
        "case_id": _column(_id(), required=True),
        "patient_id": _column(_id(), required=True),
        "center": _column(_text(), required=True),
        "split": _column(_words(r"training|validation|test(_[a-z0-9]+)?", SPLITS), required=True),
        "label": _column(_words("0|1", "0 or 1"), required=True),
        "sex": _column(_words("|male|female", "male, female, or empty for unknown")),
    }
    for name, (low, high) in _RANGES.items():
        known[name] = _column(_number(low, high))
    for name in _BINARY:
        known[name] = _column(_words("|0|1", "0, 1, or empty for unknown"))
    return _schema(known, columns)


def images_schema(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the schema of ``images.csv`` with these columns, all of them text as in the file.

    Parameters
    ----------
    columns
        The names that the file has.

    Examples
    --------
    >>> images_schema([]).columns["modality"].checks[0].error
    'us, ceus, or ct'
    """
    known = {
        "image_id": _column(_id(), required=True),
        "case_id": _column(_id(), required=True),
        "modality": _column(_words("|".join(MODALITIES), "us, ceus, or ct"), required=True),
        "view": _column(_words("[a-z][a-z_]*", "one lower-case word, or unknown"), required=True),
        "path": _column(_path(), required=True),
        "mask_path": _column(_path(), required=True),
        "spacing_x_mm": _column(_number(*SPACING_MM), required=True),
        "spacing_y_mm": _column(_number(*SPACING_MM), required=True),
        "time_s": _column(_number(0.0, math.inf)),
    }
    return _schema(known, columns)


def truth_schema(columns: Iterable[str]) -> pa.DataFrameSchema:
    """Return the schema of ``truth.csv`` with these columns, all of them text as in the file.

    Parameters
    ----------
    columns
        The names that the file has.

    Examples
    --------
    >>> truth_schema([]).columns["probability"].checks[0].error
    'a number from 0 to 1'
    """
    known = {
        "case_id": _column(_id(), required=True),
        "aggressiveness": _column(_number(-math.inf, math.inf, empty=False), required=True),
        "probability": _column(_number(0.0, 1.0, empty=False), required=True),
    }
    return _schema(known, columns)


def is_number(text: str, low: float = -math.inf, high: float = math.inf) -> bool:
    """Tell whether the text is a finite number within [low, high].

    Examples
    --------
    >>> is_number("3.5", 0, 5), is_number("nan"), is_number("1e999"), is_number("1_0")
    (True, False, False, False)
    """
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and low <= value <= high and "_" not in text


def _schema(known: dict[str, pa.Column], columns: Iterable[str]) -> pa.DataFrameSchema:
    for name in columns:
        if name not in known:
            has_unit = name.rsplit("_", 1)[-1] in _UNITS and "_" in name
            known[name] = _column(_number(-math.inf, math.inf) if has_unit else _value())
    return pa.DataFrameSchema(known, strict=False)


def _column(check: pa.Check, *, required: bool = False) -> pa.Column:
    return pa.Column(str, check, required=required)


def _check(accepts: Callable[[str], bool], allowed: str) -> pa.Check:
    return pa.Check(accepts, element_wise=True, error=allowed)


def _words(pattern: str, allowed: str) -> pa.Check:
    return _check(lambda text: re.fullmatch(pattern, text) is not None, allowed)


def _id() -> pa.Check:
    return _words(r"\w[\w.-]*", "letters, digits, '_', '.' and '-' (ids become file names)")


def _value() -> pa.Check:
    return _check(
        lambda text: text.strip().lower() not in _NOT_A_VALUE, "a value, or empty for unknown"
    )


def _text() -> pa.Check:
    return _check(lambda text: text.strip().lower() not in _NOT_A_VALUE | {""}, "a word")


def _number(low: float, high: float, *, empty: bool = True) -> pa.Check:
    if math.isfinite(low) and math.isfinite(high):
        allowed = f"a number from {low:g} to {high:g}"
    elif math.isfinite(low):
        allowed = f"a number of at least {low:g}"
    else:
        allowed = "a number"
    if not empty:
        return _check(lambda text: is_number(text, low, high), allowed)
    return _check(
        lambda text: text == "" or is_number(text, low, high), f"{allowed}, or empty for unknown"
    )


def _path() -> pa.Check:
    return _check(is_inside, "a path inside the cohort folder, relative to it, with '/'")


def is_inside(path: str) -> bool:
    """Tell whether the text is a relative path that stays inside the folder.

    Examples
    --------
    >>> [is_inside(path) for path in ("images/a.png", "../a.png", "/a.png", "C:/a.png", "")]
    [True, False, False, False, False]
    """
    absolute = PurePosixPath(path).is_absolute() or re.match(r"[A-Za-z]:", path) is not None
    parts = PurePosixPath(path).parts
    return bool(parts) and not absolute and ".." not in parts and "\\" not in path
