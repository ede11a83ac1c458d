"""What each column of a table adds to a model's log-odds of a case (SHAP)."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError

PROBABILITY_EDGE = 1e-9
"""Probabilities closer than this to 0 or 1 count as this close: log-odds stay within 20.7."""

MOST_EXACT_COLUMNS = 8
"""Up to here all subsets of columns are tried (256); beyond, permutations are drawn."""

_PERMUTATIONS = 10
_MIXTURES = 4096
_ADDITIVE_WITHIN = 1e-6
_ROUNDING = 1e-10


class Classifier(Protocol):
    """A fitted binary classifier of tables, such as a pipeline of scikit-learn."""

    def predict_proba(self, table: pd.DataFrame) -> np.ndarray:
        """Probabilities (n, 2) of the labels 0 and 1."""


@dataclass(frozen=True)
class Contributions:
    """Log-odds of cases, split among the columns: log-odds = base + sum of a case's values.

    Raises
    ------
    InputError
        When there is no case or column, a case id comes twice, the two tables do not have the same
        cases and columns, or a value is not finite.

    Examples
    --------
    >>> values = pd.DataFrame({"age_years": [0.5, -0.2]}, index=["a", "b"])
    >>> Contributions(values, -1.0, values * 10 + 40).log_odds.tolist()
    [-0.5, -1.2]
    """

    values: pd.DataFrame
    """(cases, columns), in log-odds."""
    base: float
    """Mean log-odds of the background cases."""
    features: pd.DataFrame
    """(cases, columns), the cases' own values, as the model was given them."""

    def __post_init__(self) -> None:
        problems = []
        if self.values.empty:
            problems.append(f"values has shape {self.values.shape}; needed: a case and a column")
        same_cases = self.values.index.equals(self.features.index)
        if not (same_cases and self.values.columns.equals(self.features.columns)):
            problems.append("values and features differ in their cases or columns")
        if not self.values.index.is_unique or not self.values.columns.is_unique:
            problems.append("a case id or a column comes twice")
        if not np.isfinite([self.base, *self.values.to_numpy(np.float64).ravel()]).all():
            problems.append("the base or a value is not finite")
        if problems:
            raise InputError("contributions: " + "; ".join(problems) + ".")

    @property
    def log_odds(self) -> pd.Series:
        """Log-odds of each case as the columns add up to them."""
        return self.base + self.values.sum(axis=1)


def shap_values(
    model: Classifier, background: pd.DataFrame, cases: pd.DataFrame, *, seed: int
) -> Contributions:
    r"""Split the log-odds of cases among the columns by Shapley's rule (interventional SHAP).

    With f the model's log-odds, the worth of a set S of columns is the mean of f over background
    rows whose columns S are set to the case's,
    :math:`v(S) = \frac1B \sum_b f(x_S, b_{\bar S})`; a column's value is its mean gain
    :math:`v(S \cup j) - v(S)` over all orders of the columns. The players are the columns of the
    table: one that the model encodes as several is still one player, be it of numbers or strings.

    The way of computing depends on the model. First, the model is asked whether its log-odds are a
    sum of one term per column (logistic regression without interactions, naive Bayes): this is
    tried on all cases, all background rows and 4,096 random mixtures of the two. If the sum holds
    to 1e-6, each value is the column's term minus its mean over the background, which is exact.
    Otherwise all subsets of columns are tried (up to 8 columns; exact as well), or 10 random
    orders of the columns, each forward and backward (more than 8; an estimate, whose sum is still
    exact).

    Parameters
    ----------
    model
        Fitted; its ``predict_proba`` takes a table with the columns of the background.
    background
        (B, columns). Rows that stand for "column not known", such as 100 training cases.
    cases
        (n, columns), unique index. Columns in any order.
    seed
        Of the mixtures and of the orders.

    Returns
    -------
    Values in log-odds. A value within 1e-10 of 0 is rounding and is set to 0.

    Raises
    ------
    InputError
        When a table is empty or names a column or a case twice, the columns differ, or the model
        has no ``predict_proba`` or gives something other than finite probabilities of two labels.

    Notes
    -----
    *Source*: Lundberg and Lee, Adv Neural Inf Process Syst 2017;30; interventional as in Janzing
    et al., AISTATS 2020. Computed by ``shap`` unless the model is additive. A probability of 0 or
    1 (naive Bayes, trees) has no log-odds: it is clipped to 1e-9 from the edge before everything
    else. Mixtures of rows may be combinations that no patient has; a SHAP value tells what the
    model does, not what causes the disease.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> table = pd.DataFrame({"size_cm": [1.0, 2.0, 3.0, 4.0]}, index=list("abcd"))
    >>> model = LogisticRegression(C=1e3).fit(table, [0, 1, 0, 1])
    >>> found = shap_values(model, table, table, seed=0)
    >>> np.allclose(found.values, model.coef_ * (table - 2.5))
    True
    """
    _check(model, background, cases)
    features = cases[list(background.columns)]
    coded = _Coded.of(background, features)
    log_odds = coded.as_function(model)
    found = _additive(log_odds, coded, np.random.default_rng(seed))
    if found is None:
        found = _by_masking(log_odds, coded, seed)
    values, base = found
    values[np.abs(values) < _ROUNDING] = 0.0
    shown = pd.DataFrame(values, index=cases.index, columns=features.columns)
    return Contributions(shown, base, features.copy())


def mean_absolute_shap(
    contributions: Contributions, *, seed: int, resamples: int = 2000
) -> pd.DataFrame:
    """Mean absolute SHAP value of each column, with a 95 % percentile bootstrap over the cases.

    The model and the background are held fixed: the interval tells how the mean would change with
    other cases, not with another model.

    Parameters
    ----------
    contributions
        Of at least one case; with a single one the interval is that value.
    seed
        Of the bootstrap.
    resamples
        At least 1.

    Returns
    -------
    Table with ``mean``, ``lo`` and ``hi``, in log-odds, one row a column, largest mean first.

    Raises
    ------
    InputError
        When resamples is below 1.

    Examples
    --------
    >>> values = pd.DataFrame({"age_years": [0.5, -0.3], "sex": [1.0, 1.0]}, index=["a", "b"])
    >>> mean_absolute_shap(Contributions(values, 0.0, values), seed=0).loc["sex"].tolist()
    [1.0, 1.0, 1.0]
    """
    if resamples < 1:
        raise InputError(f"resamples is {resamples}; needed: 1 or more.")
    sizes = contributions.values.abs().to_numpy(np.float64)
    n = len(sizes)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    lo, hi = np.quantile(counts @ sizes / n, [0.025, 0.975], axis=0)
    table = pd.DataFrame(
        {"mean": sizes.mean(axis=0), "lo": lo, "hi": hi}, index=contributions.values.columns
    )
    return table.sort_values("mean", ascending=False, kind="stable")


def _check(model: Classifier, background: pd.DataFrame, cases: pd.DataFrame) -> None:
    problems = []
    if not callable(getattr(model, "predict_proba", None)):
        problems.append(
            f"the model ({type(model).__name__}) has no predict_proba; give a fitted classifier "
            "that gives probabilities"
        )
    for name, table in (("background", background), ("cases", cases)):
        if table.empty:
            problems.append(f"{name} has shape {table.shape}; needed: a row and a column")
        if not table.columns.is_unique:
            problems.append(f"{name} names a column twice")
    if not cases.index.is_unique:
        twice = cases.index[cases.index.duplicated()].unique()[:5].tolist()
        problems.append(f"cases holds {twice} more than once; needed: a unique index")
    for name, other in (
        ("cases", background.columns.difference(cases.columns, sort=False)),
        ("background", cases.columns.difference(background.columns, sort=False)),
    ):
        if len(other):
            problems.append(f"{name} lacks {', '.join(map(str, other))}, which the other table has")
    if problems:
        raise InputError("SHAP: " + "; ".join(problems) + ".")


@dataclass(frozen=True)
class _Coded:
    """Both tables as numbers of distinct values, since shap mixes rows of numbers alone."""

    background: np.ndarray  # (B, columns) of int
    cases: np.ndarray  # (n, columns) of int
    distinct: dict[str, pd.Series]  # column -> its values by number

    @classmethod
    def of(cls, background: pd.DataFrame, cases: pd.DataFrame) -> "_Coded":
        codes, distinct = [], {}
        for name in background.columns:
            both = pd.concat([background[name], cases[name]], ignore_index=True)
            # A missing value is a value like any other: the model decides what to do with it.
            numbers, values = pd.factorize(both, use_na_sentinel=False)
            codes.append(numbers)
            distinct[name] = pd.Series(values).astype(both.dtype)
        table = np.column_stack(codes)
        return cls(table[: len(background)], table[len(background) :], distinct)

    def as_function(self, model: Classifier) -> Callable[[np.ndarray], np.ndarray]:
        """Log-odds (n,) of coded rows (n, columns)."""

        def log_odds(rows: np.ndarray) -> np.ndarray:
            numbers = np.asarray(rows).astype(np.intp)
            table = pd.DataFrame(
                {
                    name: values.array.take(numbers[:, column])
                    for column, (name, values) in enumerate(self.distinct.items())
                }
            )
            return _log_odds(model, table)

        return log_odds


def _log_odds(model: Classifier, table: pd.DataFrame) -> np.ndarray:
    probability = np.asarray(model.predict_proba(table), dtype=np.float64)
    if probability.shape != (len(table), 2) or not np.isfinite(probability).all():
        raise InputError(
            f"SHAP: predict_proba gave shape {probability.shape} for {len(table)} rows; needed: "
            "finite probabilities of two labels, (n, 2)."
        )
    negative, positive = np.log(np.clip(probability, PROBABILITY_EDGE, None)).T
    return positive - negative


def _additive(
    log_odds: Callable[[np.ndarray], np.ndarray], coded: _Coded, rng: np.random.Generator
) -> tuple[np.ndarray, float] | None:
    """Values (n, columns) and base if the log-odds are a sum of one term per column, else None."""
    start = coded.background[0]
    counts = [len(values) for values in coded.distinct.values()]
    # One column at a time is changed to each of its values, in a row that else stays.
    varied = np.repeat(start[None], sum(counts) + 1, axis=0)
    ends = np.cumsum(counts)
    for column, (end, count) in enumerate(zip(ends, counts, strict=True)):
        varied[end - count : end, column] = np.arange(count)
    answers = log_odds(varied)
    terms = np.split(answers[:-1] - answers[-1], ends[:-1])

    def total(rows: np.ndarray) -> np.ndarray:
        return answers[-1] + sum(term[rows[:, column]] for column, term in enumerate(terms))

    tried = np.concatenate([coded.background, coded.cases, _mixtures(coded, rng)])
    if np.abs(log_odds(tried) - total(tried)).max() > _ADDITIVE_WITHIN:
        return None
    values = np.column_stack(
        [
            term[coded.cases[:, column]] - term[coded.background[:, column]].mean()
            for column, term in enumerate(terms)
        ]
    )
    return values, float(total(coded.background).mean())


def _mixtures(coded: _Coded, rng: np.random.Generator) -> np.ndarray:
    """Background rows with some columns of a case; how many is uniform, as in Shapley's rule."""
    case = coded.cases[rng.integers(len(coded.cases), size=_MIXTURES)]
    row = coded.background[rng.integers(len(coded.background), size=_MIXTURES)]
    from_case = rng.random(case.shape) < rng.random((_MIXTURES, 1))
    return np.where(from_case, case, row)


def _by_masking(
    log_odds: Callable[[np.ndarray], np.ndarray], coded: _Coded, seed: int
) -> tuple[np.ndarray, float]:
    """Values (n, columns) and base by evaluating mixtures of each case with the background."""
    with warnings.catch_warnings():
        # shap's own plots, unused here, call a method that matplotlib will deprecate.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap.explainers import Exact, Permutation
        from shap.maskers import Independent

    columns = len(coded.distinct)
    masker = Independent(coded.background.astype(np.float64), max_samples=len(coded.background))
    rows = coded.cases.astype(np.float64)
    state = np.random.get_state()  # noqa: NPY002  # shap seeds and draws from the global generator
    try:
        if columns <= MOST_EXACT_COLUMNS:
            found = Exact(log_odds, masker)(
                rows, max_evals=2**columns, batch_size=2**columns, silent=True
            )
        else:
            found = Permutation(log_odds, masker, seed=seed)(
                rows,
                max_evals=_PERMUTATIONS * (2 * columns + 1),
                batch_size=2 * columns + 1,
                silent=True,
            )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return np.array(found.values, dtype=np.float64), float(log_odds(coded.background).mean())
