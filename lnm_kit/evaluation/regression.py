"""Logistic regression of clinical columns: collinearity and odds ratios."""

import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.stats import norm
from statsmodels.api import Logit, add_constant
from statsmodels.stats.outliers_influence import variance_inflation_factor

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL
from lnm_kit.evaluation.table_one import category_levels, is_category

_Z = float(norm.ppf((1 + LEVEL) / 2))
COLUMNS = ["variable", "level", "n", "events", "beta", "odds_ratio", "lo", "hi", "p_value", "note"]
_SINGULAR = 1e-10


@dataclass(frozen=True)
class Row:
    """One line of the table: a level of a factor, or a number (level None)."""

    variable: str
    level: object | None
    values: np.ndarray
    is_reference: bool

    def counted(self, event: np.ndarray) -> tuple[str, str, int, int]:
        """Variable, level as printed, cases and events."""
        inside = np.ones(len(event), dtype=bool) if self.level is None else self.values == 1
        level = "per unit" if self.level is None else str(self.level)
        return self.variable, level, int(inside.sum()), int((inside & event).sum())


def variance_inflation(
    cases: pd.DataFrame, columns: Sequence[str], *, categories: Collection[str] = ()
) -> pd.DataFrame:
    r"""How much the other columns inflate the variance of each column's coefficients.

    With R the correlation matrix of the design, R11 that of one column's dummies and R22 that of
    all the rest, GVIF = det R11 det R22 / det R. With one dummy or number (`df` 1) this is the
    usual VIF, 1 / (1 - R²). GVIF^(1/(2 df)) compares columns of different `df`; squared it is on
    the scale of a VIF.

    `uncentered` is what `statsmodels.variance_inflation_factor` gives for a design *without* a
    constant and with levels as integers 0, 1, 2, ...: 1 / (1 - R²) with R² about zero, not about
    the mean. It grows with (mean / SD)² and so is large for a nearly constant column that is
    collinear with nothing. The LLNM study prints 134.8 for composition (99 % solid) and 118.7 for
    echogenicity (98 % hypoechoic), without saying how it computed them. On simulated patients with
    its marginals `uncentered` is of that size and `gvif` near 1; echogenic foci (12.9) do not fit.

    Parameters
    ----------
    cases
        One row a patient, no missing values in `columns`.
    columns
        At least two. Text, booleans, pandas categoricals and 0/1 are factors.
    categories
        Columns of other numbers to take as factors, e.g. `n_foci`.

    Returns
    -------
    DataFrame
        One row a column: `variable, df, gvif, gvif_scaled, uncentered`; infinite where the other
        columns determine a column.

    Raises
    ------
    InputError
        When a column is absent, has missing or infinite values, or holds one value only.

    Notes
    -----
    *Source*: Fox and Monette, J Am Stat Assoc 1992;87:178-183; Feng 2025 (LLNM), Table 2.

    Examples
    --------
    >>> cases = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [3.0, 1, 2, 6, 4, 5]})
    >>> variance_inflation(cases, ["a", "b"]).round(2)
      variable  df  gvif  gvif_scaled  uncentered
    0        a   1  1.76         1.33        7.84
    1        b   1  1.76         1.33        7.84
    """
    factors = _factors(cases, columns, categories)
    problems = _column_problems(cases, columns, factors)
    if len(columns) < 2:
        problems.append(f"columns are {list(columns)}; at least two are needed")
    if problems:
        raise InputError("; ".join(problems) + ".")
    levels = {name: _used_levels(cases[name]) for name in factors}
    blocks = {
        name: _dummies(cases[name], levels[name][1:])
        if name in factors
        else cases[[name]].to_numpy(np.float64)
        for name in columns
    }
    codes = np.column_stack(
        [
            [levels[name].index(value) for value in cases[name]]
            if name in factors
            else cases[name].to_numpy(np.float64)
            for name in columns
        ]
    ).astype(np.float64)
    rows = []
    for place, name in enumerate(columns):
        rest = np.column_stack([block for other, block in blocks.items() if other != name])
        df = blocks[name].shape[1]
        gvif = _generalized_vif(blocks[name], rest)
        with np.errstate(divide="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # R² of 1: infinite, and said so
            uncentered = float(variance_inflation_factor(codes, place))
        rows.append((name, df, gvif, gvif ** (1 / (2 * df)), uncentered))
    return pd.DataFrame(rows, columns=["variable", "df", "gvif", "gvif_scaled", "uncentered"])


def odds_ratios(
    cases: pd.DataFrame, outcome: str, columns: Sequence[str], references: Mapping[str, object]
) -> pd.DataFrame:
    r"""Odds ratios of one multivariable logistic regression, with Wald intervals.

    The odds ratio is exp(beta), its 95 % interval exp(beta ± 1.96 se), p from z = beta / se,
    two-sided. A number's odds ratio is per unit of the column.

    A level in which nobody (or everybody) has the outcome has no finite maximum likelihood
    estimate: its odds ratio is 0 (or infinite), without interval and p value, and `note` says so.
    The other rows are the limit of the estimates as that coefficient runs off, which is the fit
    without the cases of that level.

    Parameters
    ----------
    cases
        One row a patient, no missing values in `outcome` and `columns`.
    outcome
        Column of 0 and 1; 1 is the event.
    columns
        Factors and numbers.
    references
        Factor to its reference level. A column that is not named here is taken as a number.

    Returns
    -------
    DataFrame
        `variable, level, n, events, beta, odds_ratio, lo, hi, p_value, note`; a row a level,
        reference first (odds ratio 1, no interval), and a row `per unit` for a number.

    Raises
    ------
    InputError
        When a column is absent, incomplete or constant, the outcome is not 0/1 with both present,
        a reference is no level, text has no reference, columns determine each other, columns
        separate the outcome, or the fit does not converge.

    Notes
    -----
    *Source*: Feng 2025 (LLNM), sections 2.9 and 3.2, Table 2; separation found by linear
    programming, Konis, Computational algorithms for detecting separation, Oxford 2007.

    Examples
    --------
    >>> cases = pd.DataFrame({"label": [1] * 12 + [0] * 28 + [1] * 5 + [0] * 35,
    ...                       "sex": ["male"] * 40 + ["female"] * 40})
    >>> table = odds_ratios(cases, "label", ["sex"], {"sex": "male"})
    >>> table[["level", "n", "events", "odds_ratio", "lo", "hi"]].round(3)
        level   n  events  odds_ratio     lo     hi
    0    male  40      12       1.000    NaN    NaN
    1  female  40       5       0.333  0.105  1.059
    """
    rows, event = checked_rows(cases, outcome, columns, references)
    notes, used = _set_aside(rows, event)
    fitted = [
        place for place, row in enumerate(rows) if not row.is_reference and place not in notes
    ]
    betas = dict(zip(fitted, _fit([rows[place] for place in fitted], event, used), strict=True))
    table = []
    for place, row in enumerate(rows):
        beta, se, note = 0.0, math.nan, "reference"
        if place in notes:
            note = notes[place]
            beta = {"no events": -math.inf, "events only": math.inf}.get(note, math.nan)
        elif place in betas:
            (beta, se), note = betas[place], ""
        with np.errstate(over="ignore"):
            ratio, lo, hi = np.exp([beta, beta - _Z * se, beta + _Z * se]).tolist()
        p_value = 2 * norm.sf(abs(beta / se)) if place in betas else math.nan
        if place in notes:
            note += "; no finite estimate"
        table.append((*row.counted(event), beta, ratio, lo, hi, float(p_value), note))
    return pd.DataFrame(table, columns=COLUMNS)


def checked_rows(
    cases: pd.DataFrame, outcome: str, columns: Sequence[str], references: Mapping[str, object]
) -> tuple[list[Row], np.ndarray]:
    """Lines of the table of odds ratios and the events, bool (N,), or all that is wrong."""
    problems = _column_problems(cases, [outcome, *columns], set(references))
    if not problems:
        problems = _model_problems(cases, outcome, columns, references)
    if problems:
        raise InputError("; ".join(problems) + ".")
    rows = [row for name in columns for row in _rows(cases[name], references.get(name))]
    return rows, cases[outcome].to_numpy(np.float64) == 1


def _factors(cases: pd.DataFrame, columns: Sequence[str], categories: Collection[str]) -> set[str]:
    return {
        name
        for name in columns
        if name in cases.columns and (name in categories or is_category(cases[name]))
    }


def _used_levels(values: pd.Series) -> list[object]:
    return [level for level in category_levels(values) if (values == level).any()]


def _dummies(values: pd.Series, levels: Sequence[object]) -> np.ndarray:
    return np.column_stack([(values == level).to_numpy(np.float64) for level in levels])


def _column_problems(
    cases: pd.DataFrame, columns: Sequence[str], factors: Collection[str]
) -> list[str]:
    absent = [name for name in columns if name not in cases.columns]
    if absent:
        return [f"cases has no column {absent}; it has {list(cases.columns)}"]
    problems = []
    repeated = sorted({name for name in columns if list(columns).count(name) > 1})
    if repeated:
        problems.append(f"{repeated} are named more than once")
    for name in columns:
        values = cases[name]
        if values.isna().any():
            problems.append(
                f"{name} is missing in {int(values.isna().sum())} of {len(values)} cases; leave "
                "them out or fill them in, and say so"
            )
        elif values.nunique() < 2:
            problems.append(f"{name} holds only {values.unique().tolist()}; leave the column out")
        elif name not in factors and not is_category(values):
            infinite = int(np.isinf(values.to_numpy(np.float64)).sum())
            if infinite:
                problems.append(f"{name} is infinite in {infinite} cases")
    return problems


def _model_problems(
    cases: pd.DataFrame, outcome: str, columns: Sequence[str], references: Mapping[str, object]
) -> list[str]:
    problems = []
    if not cases[outcome].isin([0, 1]).all():
        problems.append(f"{outcome} holds {cases[outcome].unique().tolist()[:5]}; allowed: 0 and 1")
    stray = sorted(set(references) - set(columns))
    if stray:
        problems.append(f"references names {stray}, which are not among the columns")
    for name in columns:
        levels = category_levels(cases[name])
        if name in references:
            if not (cases[name] == references[name]).any():
                problems.append(
                    f"reference {references[name]!r} of {name} is no level; levels: {levels}"
                )
        elif is_category(cases[name]) and not cases[name].isin([0, 1]).all():
            problems.append(f"{name} is no number and has no reference; levels: {levels}")
    return problems


def _rows(values: pd.Series, reference: object | None) -> list[Row]:
    name = str(values.name)
    if reference is None:
        return [Row(name, None, values.to_numpy(np.float64), False)]
    others = [level for level in _used_levels(values) if level != reference]
    return [
        Row(name, level, (values == level).to_numpy(np.float64), level == reference)
        for level in [reference, *others]
    ]


def _set_aside(rows: Sequence[Row], event: np.ndarray) -> tuple[dict[int, str], np.ndarray]:
    """Levels without finite estimate (row to note), and the cases (N,) that the fit uses.

    Leaving out the cases of one such level can empty another of events, hence the repetition.
    """
    notes: dict[int, str] = {}
    used = np.ones(len(event), dtype=bool)
    while True:
        found = {}
        for place, row in enumerate(rows):
            inside = used & (row.values == 1)
            if place in notes or row.level is None:
                continue
            if not inside.any():
                found[place] = "all its cases lie in levels left out"
            elif event[inside].all() or not event[inside].any():
                found[place] = "events only" if event[inside].all() else "no events"
            if place in found and row.is_reference:
                raise InputError(
                    f"reference {row.level!r} of {row.variable}: {found[place]}, so that no odds "
                    "ratio against it is finite; take another reference, join levels, or take "
                    "odds_ratios_firth."
                )
        if not found:
            return notes, used
        notes |= found
        for place in found:
            used &= rows[place].values != 1


def _fit(rows: Sequence[Row], event: np.ndarray, used: np.ndarray) -> list[tuple[float, float]]:
    """Coefficient and standard error of every row."""
    if not rows:
        return []
    names = [row.variable for row in rows]
    remedy = "leave columns out, join levels, or take the logarithm of skewed columns."
    design = np.column_stack([row.values[used] for row in rows])
    label = event[used].astype(np.float64)
    # Newton steps and ranks in standard deviations; results are given back per unit.
    scale = design.std(axis=0)
    refuse_determined(names, (design - design.mean(axis=0)) / np.where(scale > 0, scale, 1.0))
    standard = (design - design.mean(axis=0)) / scale
    _refuse_separated(rows, standard, label)
    try:
        with warnings.catch_warnings(), np.errstate(over="ignore", divide="ignore"):
            warnings.simplefilter("ignore")  # convergence, looked at below
            model = Logit(label, add_constant(standard, has_constant="add"))
            found = model.fit(disp=0, maxiter=100)
    except np.linalg.LinAlgError:
        raise InputError(f"the fit of {sorted(set(names))} is singular; {remedy}") from None
    if not found.mle_retvals["converged"] or not np.isfinite(found.bse).all():
        worst = names[int(np.argmax(np.abs(found.params[1:])))]
        raise InputError(
            f"the fit did not converge in 100 steps, coefficient of {worst} largest; {remedy}"
        )
    return list(zip(found.params[1:] / scale, found.bse[1:] / scale, strict=True))


def refuse_determined(names: Sequence[str], standard: np.ndarray) -> None:
    """Raise InputError when columns (N, P), about their means, determine each other."""
    determined = []
    rank = 0
    for place in range(standard.shape[1]):
        grown = int(np.linalg.matrix_rank(standard[:, : place + 1]))
        if grown == rank:
            determined.append(names[place])
        rank = grown
    if determined:
        raise InputError(
            f"{sorted(set(determined))} are determined by columns before them; leave them out."
        )


def _refuse_separated(rows: Sequence[Row], standard: np.ndarray, label: np.ndarray) -> None:
    separating = _separating(standard, label)
    if not separating.any():
        return
    found = [row for row, part in zip(rows, separating, strict=True) if part]
    together = [
        f"{row.variable}={row.level}" if row.level is not None else row.variable for row in found
    ]
    alone = []
    for name in sorted({row.variable for row in found}):
        part = [place for place, other in enumerate(rows) if other.variable == name]
        if _separating(standard[:, part], label).any():
            alone.append(name)
    who = f"{alone} alone" if alone else f"{together} together"
    raise InputError(
        f"{who} separate the outcome, so that no maximum likelihood estimate exists; leave columns "
        "out, join levels, get more cases, or take odds_ratios_firth."
    )


def _separating(standard: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Columns (P,) with a part in a direction along which the likelihood never falls."""
    signed = (2 * label - 1)[:, None] * np.column_stack([np.ones(len(label)), standard])
    # Any direction found can be stretched up to the bound of 1; where the data overlap only zero
    # is left, up to the solver's tolerance.
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(label)), bounds=(-1, 1))
    if not found.success or np.abs(found.x).max() < 0.5:
        return np.zeros(standard.shape[1], dtype=bool)
    return np.abs(found.x[1:]) > 1e-6


def _generalized_vif(block: np.ndarray, rest: np.ndarray) -> float:
    """GVIF as 1 / prod(1 - canonical correlation²) of two sets of columns."""
    own, others = (_basis(part - part.mean(axis=0)) for part in (block, rest))
    correlations = np.linalg.svd(own.T @ others, compute_uv=False)
    free = float(np.prod(1 - correlations**2))
    return 1 / free if free > _SINGULAR else math.inf


def _basis(centered: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the columns, which may determine each other."""
    scaled = centered / centered.std(axis=0)
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    return left[:, size > size[0] * 1e-9]
