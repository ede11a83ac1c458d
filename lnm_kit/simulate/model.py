"""The specification of a simulated population: variables, factors, and what drives the label."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lnm_kit.errors import one_of
from lnm_kit.published import parse_number, published_table
from lnm_kit.simulate import models

AGGRESSIVENESS = "aggressiveness"
# The factor that CT shows and ultrasound does not, in studies with both.
SPREAD = "spread"

View = Literal["transverse", "longitudinal"]


class Variable(BaseModel):
    """A clinical column: its levels or its curve, and its loadings on the latent factors.

    Categorical variables have `levels` from low to high latent score. Continuous ones have a
    `family`, a `range` and a `step` (their resolution); `edges` and `levels` where the paper
    prints counts of classes, `closed` saying to which class an edge itself belongs.
    `mean` and `sd` are for variables whose mean and SD are not published, `shares` (one a level)
    for categorical ones whose counts are not. With `of_patient` all cases of a patient share it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    levels: tuple[str, ...] = ()
    integer: bool = False
    family: Literal["categorical", "normal", "lognormal"] = "categorical"
    range: tuple[float, float] = (-np.inf, np.inf)
    edges: tuple[float, ...] = ()
    closed: Literal["left", "right"] = "left"
    step: float = 0.0
    mean: float | None = None
    sd: float | None = None
    shares: tuple[float, ...] = ()
    loadings: dict[str, float] = Field(default_factory=dict)
    of_patient: bool = False

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.family == "categorical" and not self.levels:
            raise ValueError(f"{self.column}: a categorical variable needs levels")
        if self.edges and len(self.levels) != len(self.edges) + 1:
            raise ValueError(f"{self.column}: {len(self.edges)} edges need one more level")
        if self.shares and len(self.shares) != len(self.levels):
            raise ValueError(f"{self.column}: {len(self.levels)} levels need as many shares")
        if sum(loading**2 for loading in self.loadings.values()) > 1:
            raise ValueError(f"{self.column}: squared loadings add up to more than 1")
        return self

    @property
    def bounds(self) -> tuple[float, ...]:
        """Lower end, edges and upper end of the range."""
        return (self.range[0], *self.edges, self.range[1])

    def level_of(self, values: pd.Series) -> pd.Series:
        """Name the level of every value; classes of a continuous variable by its edges."""
        if self.family == "categorical":
            return values.astype(str)
        bins = [-np.inf, *self.edges, np.inf]
        return pd.cut(values, bins, right=self.closed == "right", labels=list(self.levels)).astype(
            str
        )


class Outcome(BaseModel):
    """What drives the label: the aggressiveness, and direct effects given the aggressiveness.

    `factors` are the effects of further latent factors.
    Effects are named `column=level` against the column's reference level, or `column` for the
    effect of one unit. `regression_table` is the published table with the coefficients that a
    regression should find; `targets` replaces those that cannot be meant, and stands alone where
    the paper prints none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aggressiveness: float
    factors: dict[str, float] = Field(default_factory=dict)
    direct: dict[str, float]
    regression_table: str | None = None
    targets: dict[str, float] = Field(default_factory=dict)


class PopulationModel(BaseModel):
    """Everything that the simulation of a study adds to its published tables.

    `positives` are the positives of each split where the paper does not print them. Every case
    has one image in each of `views`; with `image_shares` it has one, two, ... images instead,
    those being the shares of cases. With `contrast` it also has a contrast-enhanced frame and the
    clip of it, with `slice_shares` one, two, ... CT slices. A case is a patient, but where
    `patients` tells how many patients a split has: then it is a nodule, and some patients have
    several. With `lateral` there is a second label of the same form, `label_lateral`, of which
    `positives_lateral` are positive. `unrecorded` variables are no
    columns of the study but show in its images; they are kept with the truth. `b_mode_strength`
    is how strongly the aggressiveness shows in the B-mode image, against the other studies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    name: str
    endpoint: str
    positive: str
    views: tuple[View, ...]
    image_shares: tuple[float, ...] = ()
    contrast: bool = False
    b_mode_strength: float = Field(default=1.0, ge=0, le=2)
    slice_shares: tuple[float, ...] = ()
    factors: tuple[str, ...]
    centers: dict[str, str]
    positives: dict[str, int] = Field(default_factory=dict)
    positives_lateral: dict[str, int] = Field(default_factory=dict)
    patients: dict[str, int] = Field(default_factory=dict)
    variables: tuple[Variable, ...]
    unrecorded: tuple[Variable, ...] = ()
    outcome: Outcome
    lateral: Outcome | None = None

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if self.factors[:1] != (AGGRESSIVENESS,):
            raise ValueError(f"the first factor must be {AGGRESSIVENESS!r}")
        every = (*self.variables, *self.unrecorded)
        unknown = {name for v in every for name in v.loadings} - set(self.factors)
        if unknown:
            raise ValueError(f"loadings on factors that are not listed: {sorted(unknown)}")
        if self.slice_shares and SPREAD not in self.factors:
            raise ValueError(f"a study with CT needs the factor {SPREAD!r}")
        without = [v.column for v in self.unrecorded if not v.shares]
        if without:
            raise ValueError(f"unrecorded variables need shares: {without}")
        columns = {variable.column for variable in self.variables}
        outcomes = [self.outcome] + ([] if self.lateral is None else [self.lateral])
        strangers = {
            name for o in outcomes for name in o.direct if name.split("=")[0] not in columns
        }
        strangers |= {name for o in outcomes for name in o.factors if name not in self.factors}
        if strangers:
            raise ValueError(f"effects of what is not listed: {sorted(strangers)}")
        for named in (self.patients, self.positives_lateral):
            if named and set(named) != set(self.centers):
                raise ValueError(f"the splits are {sorted(self.centers)}, not {sorted(named)}")
        return self

    def variable(self, column: str) -> Variable:
        """Return the variable of that column."""
        return next(variable for variable in self.variables if variable.column == column)


def simulated_studies() -> list[str]:
    """Names of the studies that can be simulated.

    Examples
    --------
    >>> "llnm" in simulated_studies()
    True
    """
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files(models).iterdir()
        if entry.name.endswith(".toml")
    )


def population_model(study: str) -> PopulationModel:
    """Return the specification of a study's simulated population.

    Raises
    ------
    InputError
        When the study cannot be simulated.

    Examples
    --------
    >>> population_model("llnm").centers["test_a"]
    'center_2'
    """
    return _read(one_of("study", study, simulated_studies()))


@cache
def _read(study: str) -> PopulationModel:
    text = (files(models) / f"{study}.toml").read_text("utf-8")
    return PopulationModel.model_validate(tomllib.loads(text))


def target_coefficients(model: PopulationModel) -> dict[str, float]:
    """Coefficients that a logistic regression on the clinical columns should find, as log odds.

    They are the published ones, but for those that the specification replaces or, where the
    paper prints none, gives. The names are those of `design_matrix`.

    *Source*: the `beta` column of the paper's regression table (LLNM: Table 2).

    Examples
    --------
    >>> targets = target_coefficients(population_model("llnm"))
    >>> targets["sex=female"], targets["tumor_size_cm=gt_4"]
    (-0.609, 5.741)
    """
    published = {}
    if model.outcome.regression_table is not None:
        table = published_table(model.study, model.outcome.regression_table)
        printed = table[~table["beta"].isin(["", "N/A"])]
        for variable, level, beta in printed[["variable", "level", "beta"]].to_numpy().tolist():
            published[f"{variable}={level}" if level else variable] = parse_number(beta).value
    return published | model.outcome.targets


def design_matrix(
    model: PopulationModel, cases: pd.DataFrame, outcome: Outcome | None = None
) -> pd.DataFrame:
    """Columns that the outcome depends on, one per direct effect; float, (n cases, n effects).

    A column `column=level` is 1 where the case has that level; a column without a level is the
    value itself. The reference levels have no column. `outcome` is the model's first unless given.
    """
    columns = {}
    for name in (outcome or model.outcome).direct:
        column, _, level = name.partition("=")
        levels = model.variable(column).level_of(cases[column]) if level else None
        columns[name] = cases[column] if levels is None else levels == level
    return pd.DataFrame(columns, index=cases.index).astype(float)
