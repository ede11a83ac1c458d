"""The studies side by side: printed AUCs, those of our runs, the oracle's and the null's."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.evaluation.recalibration import Recalibration, fit_recalibration
from lnm_kit.runs.execute import book_root
from lnm_kit.runs.finalists import FINALISTS, printed_aucs
from lnm_kit.runs.inventory import Run, all_runs, read_run

SOURCES = ("paper", "our run", "oracle", "null")
COLUMNS = ["study", "split", "source", "value", "lo", "hi", "place"]
ORACLE = "Oracle"
CLIP = 1e-6


def runs_root() -> Path:
    """Return the folder that holds ``runs/``: the working folder, else that of the book.

    Raises
    ------
    InputError
        When there is neither.
    """
    return Path.cwd() if (Path.cwd() / "runs").is_dir() else book_root()


def study_runs(root: Path, *, profile: str, shown: Mapping[str, str]) -> dict[str, Run]:
    """Return the run of each study that a page across the studies shows.

    Parameters
    ----------
    root
        The folder that holds ``runs/``.
    profile
        Without `shown`, the newest good run of this profile counts: one on the simulated cohort,
        with its signal, whose results were recorded.
    shown
        By chapter the name of its run folder, as `lnm book` gives them; studies without one are
        left out then.

    Raises
    ------
    InputError
        When a given run is missing or did not end well.
    """
    if not shown:
        return {
            study: run for study in FINALISTS if (run := _newest(root, study, profile)) is not None
        }
    runs = {
        name: read_run(root / "runs" / name / shown[name]) for name in FINALISTS if name in shown
    }
    failed = [run.name for run in runs.values() if run.outcome != "ok"]
    if failed:
        raise InputError(f"{', '.join(failed)} did not end well; run the chapters again.")
    return runs


def auc_table(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Return AUCs of every study's final model, one row a study, split and source.

    Parameters
    ----------
    runs
        By study; of a study without a run only the printed values are shown.

    Returns
    -------
    pandas.DataFrame
        Columns `study`, `split`, `source` (one of `SOURCES`), `value`, `lo`, `hi` and `place`:
        where the paper prints the value, or the model of a null that is not of the final one.
        Only splits in which the paper or the final model of the run has an AUC. What a run left
        undefined has no row.

    Raises
    ------
    InputError
        When the metrics of a run cannot be read.
    """
    rows: list[dict[Hashable, Any]] = []
    for study, finalist in FINALISTS.items():
        run = runs.get(study)
        printed = printed_aucs(study, run.parameters if run else {}).to_dict("records")
        rows += [{"study": study, "source": "paper", **row} for row in printed]
        if run is None:
            continue
        names = {finalist.model: "our run", ORACLE: "oracle", finalist.null: "null"}
        places = {finalist.null: finalist.null_of}
        found: list[dict[Hashable, Any]] = [
            {"study": study, "split": row["split"], "source": names[row["model"]]}
            | {"place": places.get(row["model"], "")}
            | {name: row[name] for name in ("value", "lo", "hi")}
            for row in run.metrics()
            if row["metric"] == "auc" and row["model"] in names and row["value"] is not None
        ]
        judged = {row["split"] for row in found if row["source"] == "our run"}
        judged |= {row["split"] for row in printed}
        rows += [row for row in found if row["split"] in judged]
    table = pd.DataFrame(rows, columns=COLUMNS)
    order = {name: place for place, name in enumerate([*FINALISTS, "training", "validation"])}
    place = {name: number for number, name in enumerate(SOURCES)}
    key = pd.DataFrame(
        {
            "study": table["study"].map(order),
            "split": table["split"].map(order).fillna(len(order)),
            "name": table["split"],
            "source": table["source"].map(place),
        }
    )
    sorted_index = key.sort_values(["study", "split", "name", "source"]).index
    return table.loc[sorted_index].reset_index(drop=True)


def final_predictions(study: str, run: Run, split: str) -> pd.DataFrame:
    """Return label and probability of the final model for the cases of a split, by case.

    Raises
    ------
    InputError
        When the run kept no predictions of that model and split.
    """
    wanted = FINALISTS[study].model
    if run.predictions_file.is_file():
        table = pd.read_parquet(run.predictions_file)
        chosen = table[(table["model"] == wanted) & (table["split"] == split)]
        if len(chosen):
            return chosen.set_index("case_id")[["label", "probability"]]
    raise InputError(f"{run.name} kept no predictions of {wanted} on {split}; run it again.")


def recalibrated_predictions(study: str, run: Run) -> tuple[pd.DataFrame, Recalibration]:
    """Return the held-out predictions with a `recalibrated` column, and the recalibration.

    It is learned on the study's ``unseen`` split. Probabilities of 0 and 1 are taken as 1e-6 from
    them.

    Raises
    ------
    InputError
        When predictions are missing, or the scores to learn from rank no better than chance: no
        shift and stretch turns those into probabilities.
    """
    finalist = FINALISTS[study]
    known = final_predictions(study, run, finalist.unseen)
    held_out = final_predictions(study, run, finalist.held_out)
    fitted = fit_recalibration(known["label"], _clipped(known))
    if fitted.slope <= 0:
        raise InputError(
            f"the {finalist.unseen} scores of {finalist.model} in {run.name} rank no better than "
            "chance; they cannot be made probabilities."
        )
    return held_out.assign(recalibrated=fitted.apply(_clipped(held_out))), fitted


def _clipped(predictions: pd.DataFrame) -> np.ndarray:
    return np.clip(predictions["probability"].to_numpy(), CLIP, 1 - CLIP)


def _newest(root: Path, study: str, profile: str) -> Run | None:
    there = (root / "runs" / study).is_dir()
    for run in all_runs(root, study) if there else []:
        given = run.parameters
        simulated = "cohort" not in given and given.get("signal", 0) > 0
        if run.outcome == "ok" and given.get("profile") == profile and simulated:
            return run
    return None
