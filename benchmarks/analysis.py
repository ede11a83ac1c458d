"""What else a chapter waits for: SHAP values, habitats, Table 1, agreement of delineations.

python -m benchmarks.analysis [--rounds 3]
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, row
from lnm_kit.evaluation import icc_features, table_one
from lnm_kit.explain import shap_values
from lnm_kit.radiomics.habitats import local_region
from lnm_kit.regions.images import MaskedImage
from lnm_kit.simulate.ddti_like import simulated_frame
from lnm_kit.simulate.population import simulate_population

PACKAGES = ("lnm-kit", "numpy", "scipy", "pandas", "scikit-learn", "shap", "statsmodels")
SPACING_MM = 0.25
RADIUS_PX = 3
NOT_PREDICTORS = ("patient_id", "center", "split", "label", "label_lateral")


def clinical_model() -> tuple[object, pd.DataFrame]:
    """A logistic regression on the clinical columns of simulated patients, and these columns."""
    cases, _ = simulate_population("llnm", seed=0, signal=1.0)
    table = cases.drop(columns=[name for name in NOT_PREDICTORS if name in cases])
    text = table.select_dtypes(exclude="number").columns
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), list(text)), remainder=StandardScaler()
    )
    model = make_pipeline(encode, LogisticRegression(max_iter=2000))
    return model.fit(table, cases["label"]), table


def shap_by_permutations(model: object, background: pd.DataFrame, cases: pd.DataFrame) -> None:
    """The same players and background with shap's own explainer: 10 orders, there and back."""
    from shap.explainers import Permutation
    from shap.maskers import Independent

    values = {name: sorted(background[name].unique(), key=str) for name in background}
    codes = [
        np.column_stack([pd.Categorical(table[name], values[name]).codes for name in values])
        for table in (background, cases)
    ]

    def log_odds(rows: np.ndarray) -> np.ndarray:
        taken = {
            name: np.array(values[name])[rows[:, place].astype(int)]
            for place, name in enumerate(values)
        }
        return model.predict_log_proba(pd.DataFrame(taken)) @ [-1, 1]

    columns = len(values)
    masker = Independent(codes[0].astype(float), max_samples=len(background))
    Permutation(log_odds, masker, seed=0)(
        codes[1].astype(float), max_evals=10 * (2 * columns + 1), silent=True
    )


def habitats_by_pixel(gray: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean, spread and entropy of the disk around every pixel of a nodule, one by one."""
    padded = np.pad(gray / 255, RADIUS_PX)
    inside = np.pad(mask, RADIUS_PX)
    span = np.mgrid[-RADIUS_PX : RADIUS_PX + 1, -RADIUS_PX : RADIUS_PX + 1]
    disk = np.hypot(*span) <= RADIUS_PX + 0.3
    found = []
    for y, x in zip(*np.nonzero(inside), strict=True):
        window = (
            slice(y - RADIUS_PX, y + RADIUS_PX + 1),
            slice(x - RADIUS_PX, x + RADIUS_PX + 1),
        )
        values = padded[window][disk & inside[window]]
        shares = np.bincount(np.minimum(values * 8, 7).astype(int)) / len(values)
        shares = shares[shares > 0]
        found.append((values.mean(), values.std(), -(shares * np.log2(shares)).sum()))
    return np.array(found)


def measure(*, rounds: int = 3) -> list[dict]:
    """Rows of the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [*_shap(rounds), *_habitats(rounds), *_tables(rounds)]


def _shap(rounds: int) -> list[dict]:
    model, table = clinical_model()
    background, cases = table.iloc[:100], table.iloc[100:300]
    few = 5
    taken = alternate(
        {
            "own": lambda: shap_values(model, background, cases, seed=0),
            "shap": lambda: shap_by_permutations(model, background, cases[:few]),
        },
        rounds=rounds,
    )
    scaled = [one * len(cases) / few for one in taken["shap"]]
    note = f"{few} cases run, scaled; own values are exact, those of the peer an estimate"
    what = f"SHAP of {len(cases)} cases, {table.shape[1]} columns, additive model"
    return [row(what, "shap_values", taken["own"], peer="shap", peer_seconds=scaled, note=note)]


def _habitats(rounds: int) -> list[dict]:
    frame = simulated_frame(3)
    gray, mask = frame.pixels, frame.masks[0]
    image = MaskedImage(gray, mask, (SPACING_MM, SPACING_MM))
    radius_mm = RADIUS_PX * SPACING_MM
    taken = alternate(
        {
            "own": lambda: local_region(image, radius_mm=radius_mm, grid_mm=SPACING_MM),
            "loop": lambda: habitats_by_pixel(gray, mask),
        },
        rounds=rounds,
    )
    what = f"surroundings of every pixel of a nodule of {mask.sum():,}"
    return [
        row(
            what,
            "local_region",
            taken["own"],
            peer="plain loop",
            peer_seconds=taken["loop"],
            note="for habitats; the loop computes three of the four features",
        )
    ]


def _tables(rounds: int) -> list[dict]:
    cases, _ = simulate_population("llnm", seed=0, signal=1.0)
    columns = [name for name in cases if name not in NOT_PREDICTORS]
    drawn = np.random.default_rng(0).normal(size=(3, 60, 479))
    readings = [pd.DataFrame(drawn[0] + 0.3 * own) for own in drawn[1:]]
    taken = alternate(
        {
            "table": lambda: table_one(cases, columns, "split"),
            "icc": lambda: icc_features(readings),
        },
        rounds=rounds,
    )
    n = f"{len(cases):,} patients, {len(columns)} columns"
    return [
        row(f"Table 1 of {n}", "table_one", taken["table"]),
        row("intraclass correlations of 479 features, 60 cases", "icc_features", taken["icc"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rows = measure(rounds=parser.parse_args().rounds)
    save("analysis", rows, PACKAGES)
    show("analysis", rows)


if __name__ == "__main__":
    main()
