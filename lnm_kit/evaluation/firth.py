"""Firth's penalized logistic regression: odds ratios that stay finite under separation."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL
from lnm_kit.evaluation.regression import COLUMNS, checked_rows, refuse_determined

_HALF_CHI2 = float(chi2.ppf(LEVEL, 1)) / 2


def odds_ratios_firth(
    cases: pd.DataFrame, outcome: str, columns: Sequence[str], references: Mapping[str, object]
) -> pd.DataFrame:
    r"""Odds ratios of one multivariable logistic regression with Firth's penalty.

    The log-likelihood is raised by :math:`\frac12 \log \det I(\beta)`, with the information matrix
    I. This takes away the first-order bias of small samples, and every odds ratio is finite, also
    of a level without events and of a column that separates the outcome. The 95 % intervals are
    those of the profile of the penalized likelihood, p values those of its ratio test: Wald's are
    unfit under separation, where the likelihood is far from a parabola.

    It answers another question than :func:`lnm_kit.evaluation.odds_ratios`, and where nothing
    separates, its odds ratios lie nearer to 1; say which of the two a table holds.

    Parameters
    ----------
    cases, outcome, columns, references
        As in :func:`lnm_kit.evaluation.odds_ratios`.

    Returns
    -------
    DataFrame
        As of :func:`lnm_kit.evaluation.odds_ratios`; `note` is `reference` or `Firth`.

    Raises
    ------
    InputError
        As in :func:`lnm_kit.evaluation.odds_ratios`, separation excepted.

    Notes
    -----
    *Source*: Firth, Biometrika 1993;80:27-38; Heinze and Schemper, Stat Med 2002;21:2409-2419.

    Examples
    --------
    >>> cases = pd.DataFrame({"label": [0] * 20 + [1] * 8 + [0] * 12,
    ...                       "margin": ["smooth"] * 20 + ["irregular"] * 20})
    >>> table = odds_ratios_firth(cases, "label", ["margin"], {"margin": "smooth"})
    >>> table[["level", "n", "events", "odds_ratio", "lo", "hi"]].round(2)
           level   n  events  odds_ratio    lo       hi
    0     smooth  20       0        1.00   NaN      NaN
    1  irregular  20       8       27.88  3.02  3722.43
    """
    rows, event = checked_rows(cases, outcome, columns, references)
    fitted = [place for place, row in enumerate(rows) if not row.is_reference]
    design = np.column_stack([rows[place].values for place in fitted])
    scale = design.std(axis=0)
    standard = (design - design.mean(axis=0)) / scale
    refuse_determined([rows[place].variable for place in fitted], standard)
    model = _Model(np.column_stack([np.ones(len(event)), standard]), event.astype(np.float64))
    best, height = model.maximize({})
    table = []
    for place, row in enumerate(rows):
        beta, lo, hi, p_value, note = 0.0, math.nan, math.nan, math.nan, "reference"
        if place in fitted:
            own = 1 + fitted.index(place)
            unit = scale[own - 1]
            beta, note = best[own] / unit, "Firth"
            lo, hi = (model.end(best, height, own, side) / unit for side in (-1, 1))
            ratio = max(2 * (height - model.maximize({own: 0.0}, best)[1]), 0.0)
            p_value = float(chi2.sf(ratio, 1))
        odds, low, high = np.exp([beta, lo, hi]).tolist()
        table.append((*row.counted(event), beta, odds, low, high, p_value, note))
    return pd.DataFrame(table, columns=COLUMNS)


class _Model:
    """Penalized likelihood of a design (N, P) with a constant, and its maximum."""

    def __init__(self, design: np.ndarray, label: np.ndarray) -> None:
        self.design = design
        self.label = label

    def height(self, beta: np.ndarray) -> float:
        """Penalized log-likelihood; minus infinity where the information has vanished."""
        linear = self.design @ beta
        sign, size = np.linalg.slogdet(self._information(linear)[1])
        if sign <= 0:
            return -math.inf
        return float(self.label @ linear - np.logaddexp(0, linear).sum() + size / 2)

    def maximize(
        self, fixed: Mapping[int, float], start: np.ndarray | None = None
    ) -> tuple[np.ndarray, float]:
        """Coefficients with some held fixed, and the height there, by damped Newton steps."""
        beta = np.zeros(self.design.shape[1]) if start is None else start.copy()
        beta[list(fixed)] = list(fixed.values())
        free = np.array([place for place in range(len(beta)) if place not in fixed])
        height = self.height(beta)
        for _ in range(200):
            chance, information = self._information(self.design @ beta)
            weight = chance * (1 - chance)
            leverage = weight * np.einsum(
                "ij,ji->i", self.design, np.linalg.solve(information, self.design.T)
            )
            score = self.design.T @ (self.label - chance + leverage * (0.5 - chance))
            step = np.linalg.solve(information[np.ix_(free, free)], score[free])
            step /= max(1.0, np.abs(step).max() / 3)
            tried = beta.copy()
            for _ in range(40):
                tried[free] = beta[free] + step
                risen = self.height(tried)
                if risen >= height:
                    break
                step /= 2
            else:  # no step rises: this is the top within rounding
                return beta, height
            beta, height = tried, risen
            if np.abs(step).max() < 1e-9:
                return beta, height
        raise InputError(
            "the penalized fit did not converge in 200 steps; leave columns out, join levels, or "
            "take the logarithm of skewed columns."
        )

    def end(self, best: np.ndarray, height: float, own: int, side: int) -> float:
        """End of the profile interval: where the height has fallen by half a chi-squared."""
        last = best

        def excess(tried: float) -> float:
            nonlocal last
            last, found = self.maximize({own: tried}, last)
            return found - height + _HALF_CHI2

        reach = 1.0
        while excess(best[own] + side * reach) > 0:
            reach *= 2
        return float(brentq(excess, best[own], best[own] + side * reach, xtol=1e-8))

    def _information(self, linear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chance = expit(linear)
        weight = chance * (1 - chance)
        return chance, (self.design * weight[:, None]).T @ self.design
