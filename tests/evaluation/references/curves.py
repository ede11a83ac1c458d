"""Decision curves as the dcurves package of R computes them, where its example is at hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from lnm_kit.evaluation.decision_curve import decision_curve
from tests.evaluation.references.data import data_folder
from tests.evaluation.references.probabilities import most_likely
from tests.evaluation.references.row import Pair, Row

FILES = ("r_case1_results.csv", "r_simple_binary_dca_result_df.csv")


def curves_of_r(folder: Path) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Our curve and the rows of R for the same thresholds, one variable after the other."""
    table = pd.read_csv(folder / "df_binary.csv")
    label = table["cancer"].astype(int).to_numpy()
    # the package turns an age into a risk by logistic regression
    decades = table["age"].to_numpy() / 10
    design = np.column_stack([np.ones(len(table)), decades])
    of_age = expit(design @ most_likely(label, design, np.zeros(len(table)))[:, 0])
    risks = {"all": of_age, "age": of_age, "famhistory": table["famhistory"].to_numpy(float)}
    for file in FILES:
        printed = pd.read_csv(folder / file)
        # at 0 the R package leaves out who has a probability of exactly 0
        printed = printed[(printed["threshold"] > 0) & (printed["threshold"] < 1)]
        for name, rows in printed.groupby("variable"):
            if name in risks:
                found = decision_curve(label, risks[str(name)], rows["threshold"], resamples=2)
                yield found, rows


def net_benefit_of_r() -> Iterator[Pair]:
    folder = data_folder("dca")
    for found, rows in curves_of_r(folder) if folder else ():
        column = "treat_all" if rows["variable"].iloc[0] == "all" else "net_benefit"
        yield found[column], rows["net_benefit"].to_numpy()


def avoided_of_r() -> Iterator[Pair]:
    folder = data_folder("dca")
    for found, rows in curves_of_r(folder) if folder else ():
        if "net_intervention_avoided" in rows and rows["variable"].iloc[0] != "all":
            yield found["avoided"], rows["net_intervention_avoided"].to_numpy()


ROWS = (
    (
        Row("net benefit", "computed in R: dcurves' own example", 1e-9, net_benefit_of_r),
        Row("interventions avoided", "computed in R: dcurves' own example", 1e-9, avoided_of_r),
    )
    if data_folder("dca")
    else ()
)
