"""References of the variance inflation factors and of the odds ratios."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from statsmodels.datasets import longley, spector
from statsmodels.stats.outliers_influence import variance_inflation_factor

from lnm_kit.evaluation import odds_ratios, variance_inflation
from lnm_kit.evaluation.firth import odds_ratios_firth
from tests.evaluation.references.probabilities import most_likely
from tests.evaluation.references.published import DUNCAN
from tests.evaluation.references.row import Pair, Row

Z = 1.959963984540054


def cases(seed: int, n: int = 240) -> pd.DataFrame:
    """Correlated numbers and factors, and an outcome that depends on them."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, n)
    frame = pd.DataFrame(
        {
            "age_years": age,
            "size_cm": rng.lognormal(0, 0.5, n) + age / 60,
            "sex": np.where(rng.random(n) < 0.75, "female", "male"),
            "location": rng.choice(["upper", "middle", "lower"], n, p=[0.2, 0.5, 0.3]),
        }
    )
    linear = 0.9 * (frame["sex"] == "male") - 0.03 * (age - 45) + 0.5 * frame["size_cm"] - 1.5
    return frame.assign(label=(rng.random(n) < expit(linear)).astype(int))


def vif_by_statsmodels() -> Iterator[Pair]:
    for seed in range(5):
        names = ["age_years", "size_cm", "label"]
        frame = cases(seed)
        design = np.column_stack([np.ones(len(frame)), frame[names]])
        found = variance_inflation(frame, names)
        yield found["gvif"], [variance_inflation_factor(design, place) for place in (1, 2, 3)]


def gvif_by_determinants() -> Iterator[Pair]:
    """Fox and Monette's own formula: det R11 det R22 / det R of the correlation matrix."""
    for seed in range(5):
        frame = cases(seed)
        dummies = pd.get_dummies(frame.drop(columns="label"), drop_first=True, dtype=float)
        found = variance_inflation(frame, ["age_years", "size_cm", "sex", "location"])
        whole = np.corrcoef(dummies.to_numpy().T)
        for row in found.itertuples():
            own = dummies.columns.str.startswith(str(row.variable))
            parts = [np.linalg.det(whole[np.ix_(part, part)]) for part in (own, ~own)]
            expected = parts[0] * parts[1] / np.linalg.det(whole)
            yield row.gvif, expected
            yield row.gvif_scaled, expected ** (1 / (2 * own.sum()))


def uncentered_by_projection() -> Iterator[Pair]:
    frame = cases(3)
    found = variance_inflation(frame, ["age_years", "size_cm", "sex"])["uncentered"]
    codes = np.column_stack(
        [frame["age_years"], frame["size_cm"], (frame["sex"] == "male").astype(float)]
    )
    inverse = np.linalg.inv(codes.T @ codes)
    yield found, np.diag(inverse) * np.sum(codes**2, axis=0)


def vif_printed() -> Iterator[Pair]:
    economy = longley.load_pandas().exog
    found = variance_inflation(economy, list(economy.columns))["gvif"]
    yield found, (135.53244, 1788.51348, 33.61889, 3.58893, 399.15102, 758.98060)


def gvif_printed() -> Iterator[Pair]:
    found = variance_inflation(DUNCAN, ["income", "education", "type"])
    yield found["gvif"], (2.209178, 5.297584, 5.098592)
    yield found["gvif_scaled"], (1.486330, 2.301648, 1.502666)


def two_by_two_closed_form() -> Iterator[Pair]:
    """One binary column: the cross product with Woolf's interval."""
    for a, b, c, d in ((12, 28, 5, 35), (1, 1, 1, 1), (3, 90, 40, 7), (150, 20, 30, 400)):
        frame = pd.DataFrame(
            {
                "clt": np.repeat(["yes", "no"], [a + b, c + d]),
                "y": np.repeat([1, 0] * 2, [a, b, c, d]),
            }
        )
        found = odds_ratios(frame, "y", ["clt"], {"clt": "no"}).iloc[1]
        ratio, error = math.log(a * d / b / c), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        ends = np.log(found[["odds_ratio", "lo", "hi"]].to_numpy(float))
        yield ends, (ratio, ratio - Z * error, ratio + Z * error)
        yield found["p_value"], math.erfc(abs(ratio / error) / math.sqrt(2))


def odds_ratios_by_minimizer() -> Iterator[Pair]:
    """Numbers and factors together; compared are log odds ratios, their ends and p values."""
    for seed in range(6):
        frame = cases(seed)
        design = np.column_stack(
            [
                np.ones(len(frame)),
                (frame["age_years"] - 45) / 10,
                frame["size_cm"],
                frame["sex"] == "male",
                frame["location"] == "middle",
                frame["location"] == "lower",
            ]
        ).astype(float)
        expected = most_likely(frame["label"].to_numpy(), design, np.zeros(len(frame)))[1:]
        expected[0] /= 10
        found = odds_ratios(
            frame,
            "label",
            ["age_years", "size_cm", "sex", "location"],
            {"sex": "female", "location": "upper"},
        )
        found = found[found["note"] == ""]
        order = ["per unit", "per unit", "male", "middle", "lower"]
        found = found.set_index("level").loc[list(dict.fromkeys(order))]
        value, error = expected.T
        yield found["beta"], value
        yield np.log(found["lo"]), value - Z * error
        yield np.log(found["hi"]), value + Z * error
        yield found["p_value"], [math.erfc(abs(z) / math.sqrt(2)) for z in value / error]


def empty_level_as_limit() -> Iterator[Pair]:
    """A level without events: the rest is the limit as its coefficient goes to minus infinity."""
    frame = cases(7)
    rare = frame.head(9).assign(location="isthmus", label=0)
    both = pd.concat([frame, rare], ignore_index=True)
    found = odds_ratios(both, "label", ["age_years", "location"], {"location": "upper"}).set_index(
        "level"
    )
    location = both["location"]
    design = np.column_stack(
        [
            np.ones(len(both)),
            (both["age_years"] - 45) / 10,
            location == "middle",
            location == "lower",
        ]
    ).astype(float)
    far = np.where(location == "isthmus", -40.0, 0.0)
    expected = most_likely(both["label"].to_numpy(), design, far)[1:, 0] / [10, 1, 1]
    yield found.loc[["per unit", "middle", "lower"], "beta"], expected
    yield found.loc["isthmus", ["odds_ratio", "lo", "hi", "p_value"]], (0, *[math.nan] * 3)


def spector_printed() -> Iterator[Pair]:
    data = spector.load_pandas().data.astype(float)
    found = odds_ratios(data, "GRADE", ["GPA", "TUCE", "PSI"], {})
    yield found["beta"], (2.826, 0.095, 2.379)
    error = (np.log(found["hi"]) - np.log(found["lo"])) / 2 / Z
    yield error, (1.263, 0.142, 1.065)


def firth_closed_form() -> Iterator[Pair]:
    """One binary column: Firth's estimate is the cross product with 1/2 added to every cell."""
    for cells in ((12, 28, 5, 35), (0, 20, 8, 12), (9, 0, 3, 17), (1, 1, 1, 1), (0, 15, 15, 0)):
        a, b, c, d = cells
        frame = pd.DataFrame(
            {"clt": np.repeat(["yes", "no"], [a + b, c + d]), "y": np.repeat([1, 0] * 2, cells)}
        )
        found = odds_ratios_firth(frame, "y", ["clt"], {"clt": "no"})["beta"].iloc[1]
        yield found, math.log((a + 0.5) * (d + 0.5) / (b + 0.5) / (c + 0.5))


def firth_by_minimizer() -> Iterator[Pair]:
    """Penalized likelihood from its definition, by a minimizer without derivatives."""
    for seed in range(3):
        frame = cases(seed, n=50)
        frame.loc[frame["sex"] == "male", "label"] = 1  # no finite ordinary estimate
        age, label = (frame["age_years"].to_numpy() - 45) / 10, frame["label"].to_numpy()
        design = np.column_stack([np.ones(50), age, frame["sex"] == "male"]).astype(float)

        def loss(beta: np.ndarray, design=design, label=label) -> float:
            chance = expit(design @ beta)
            information = (design * (chance * (1 - chance))[:, None]).T @ design
            likelihood = np.log(np.where(label == 1, chance, 1 - chance)).sum()
            return -float(likelihood + np.log(np.linalg.det(information)) / 2)

        options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000, "maxfev": 8000}
        best = minimize(loss, np.zeros(3), method="Nelder-Mead", options=options).x
        found = odds_ratios_firth(frame, "label", ["age_years", "sex"], {"sex": "female"})
        yield found["beta"].iloc[[0, 2]], (best[1] / 10, best[2])


ROWS = (
    Row("VIF", "statsmodels, design with a constant", 1e-9, vif_by_statsmodels),
    Row("VIF", "printed: Longley's data, car package of R", 5e-5, vif_printed),
    Row("GVIF of factors", "determinants of correlation matrices", 1e-9, gvif_by_determinants),
    Row("GVIF of factors", "printed: Duncan's data, car package of R", 5e-7, gvif_printed),
    Row("uncentered VIF", "inverse of the cross products", 1e-6, uncentered_by_projection),
    Row(
        "odds ratio (log), interval, p",
        "2 x 2 closed form, Woolf's interval",
        1e-6,
        two_by_two_closed_form,
    ),
    Row(
        "odds ratios (log), intervals, p",
        "likelihood maximized by scipy",
        1e-5,
        odds_ratios_by_minimizer,
    ),
    Row(
        "odds ratios beside a level without events",
        "likelihood with that coefficient at -40",
        1e-6,
        empty_level_as_limit,
    ),
    Row("Firth's odds ratio (log)", "2 x 2 closed form", 1e-6, firth_closed_form),
    Row("Firth's odds ratios (log)", "definition, Nelder-Mead", 1e-5, firth_by_minimizer),
    Row(
        "logistic coefficients and errors",
        "printed: Spector and Mazzeo's data, Greene's Econometric Analysis",
        5.01e-4,
        spector_printed,
    ),
)
