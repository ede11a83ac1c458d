"""Two or more runs side by side: what differs in their parameters, metrics and predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import DeLongTest, delong_test
from lnm_kit.runs.inventory import Run

SIMULATED_FROM = ("seed", "signal", "size")
CASES_AT_LEAST = 2

Key = tuple[str, str, str]


@dataclass(frozen=True)
class PairedAuc:
    """AUC of one run minus that of the first, on the cases that both predicted.

    ``reason`` says why there is no test, and is empty where there is one.
    """

    run: int
    model: str
    split: str
    n_cases: int
    test: DeLongTest | None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; the first one is what the others are tested against.

    ``parameters`` holds (name, value in each run) of those that differ; ``metrics`` maps (model,
    split, metric) to the row of each run, None where a run has none; ``models`` are those whose
    predictions are kept.
    """

    runs: list[Run]
    parameters: list[tuple[str, list[Any]]]
    metrics: dict[Key, list[dict[str, Any] | None]]
    models: set[str]
    tests: list[PairedAuc]
    notes: list[str]
    figures: list[str]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Put runs side by side, and test the AUCs of each against the first on common cases.

    Cases are common when both runs read the same cohort and predicted the same case in the same
    split with the same label. Runs of different cohorts are shown, not tested.

    Raises
    ------
    InputError
        When there are fewer than two runs, one comes twice, or no two have a metric in common.
    """
    _check(runs)
    tables = [
        {(row["model"], row["split"], row["metric"]): row for row in run.metrics()} for run in runs
    ]
    if not any(set(a) & set(b) for a, b in combinations(tables, 2)):
        counts = ", ".join(
            f"{run.name}: {run.outcome}, {len(by)} metrics"
            for run, by in zip(runs, tables, strict=True)
        )
        raise InputError(
            f"these runs have nothing in common ({counts}). Give runs that have metrics of the "
            "same models and splits."
        )
    keys = dict.fromkeys(key for by in tables for key in by)
    predictions = [_predictions(run) for run in runs]
    tests, notes = _paired_tests(runs, predictions)
    return Comparison(
        runs=list(runs),
        parameters=different_parameters(runs),
        metrics={key: [by.get(key) for by in tables] for key in keys},
        models={model for by in predictions for model, _ in by},
        tests=tests,
        notes=notes,
        figures=sorted({name for run in runs for name in run.figures}),
    )


def different_parameters(runs: Sequence[Run]) -> list[tuple[str, list[Any]]]:
    """Return the parameters that are not the same in all runs, with their values.

    The chapter comes first where it differs; None stands for a parameter that a run does not have.
    """
    tables = [{"chapter": run.chapter, **run.parameters} for run in runs]
    names = dict.fromkeys(name for by in tables for name in by)
    rows = [(name, [by.get(name) for by in tables]) for name in names]
    return [(name, values) for name, values in rows if any(v != values[0] for v in values)]


def same_cohort(a: Run, b: Run) -> str:
    """Return why the cohorts of two runs are different, or an empty text where they are the same.

    A folder is known by the digest of its files; a simulated cohort by study, seed, signal and
    size, from which it is drawn.
    """
    folder_a, folder_b = a.parameters.get("cohort"), b.parameters.get("cohort")
    if folder_a is None and folder_b is None:
        names = [
            name for name in SIMULATED_FROM if a.parameters.get(name) != b.parameters.get(name)
        ]
        names = ["chapter"] * (a.chapter != b.chapter) + names
        return f"their simulated cohorts differ in {', '.join(names)}" if names else ""
    if folder_a is None or folder_b is None:
        return "one cohort is simulated and the other is not"
    digests = a.record.get("cohort_digest"), b.record.get("cohort_digest")
    if None in digests:
        return "" if folder_a == folder_b else "they read different cohort folders"
    return "" if digests[0] == digests[1] else "the files of their cohorts differ"


def _check(runs: Sequence[Run]) -> None:
    if len(runs) < 2:
        raise InputError("a comparison needs at least two runs; `lnm runs list` shows them.")
    names = [run.folder.resolve() for run in runs]
    twice = sorted({run.name for run in runs if names.count(run.folder.resolve()) > 1})
    if twice:
        raise InputError(f"{', '.join(twice)} is given more than once; give different runs.")


def _paired_tests(
    runs: Sequence[Run], predictions: Sequence[dict[tuple[str, str], pd.DataFrame]]
) -> tuple[list[PairedAuc], list[str]]:
    tests: list[PairedAuc] = []
    notes: list[str] = []
    first = predictions[0]
    for number, run in enumerate(runs[1:], start=1):
        why = same_cohort(runs[0], run)
        if why:
            notes.append(
                f"No paired test of {run.name} against {runs[0].name}: {why}. Their intervals "
                "stand side by side, but the cases are not the same."
            )
            continue
        other = predictions[number]
        shared = [key for key in first if key in other]
        if not shared:
            notes.append(
                f"No paired test of {run.name} against {runs[0].name}: no model predicted the "
                "same split in both."
            )
        tests += [_paired(number, key, first[key], other[key]) for key in shared]
    return tests, notes


def _predictions(run: Run) -> dict[tuple[str, str], pd.DataFrame]:
    """Map (model, split) to probability and label by case."""
    if not run.predictions_file.is_file():
        return {}
    try:
        table = pd.read_parquet(run.predictions_file)
        return {
            (str(model), str(split)): group.set_index("case_id")[["probability", "label"]]
            for (model, split), group in table.groupby(["model", "split"], sort=False)
        }
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{run.predictions_file} cannot be read ({error}).") from error


def _paired(number: int, key: tuple[str, str], a: pd.DataFrame, b: pd.DataFrame) -> PairedAuc:
    """Test the run's AUC (b) minus the first run's (a)."""
    model, split = key
    both = a.join(b, how="inner", lsuffix="_a", rsuffix="_b")
    unequal = int((both["label_a"] != both["label_b"]).sum())
    counts = both["label_a"].value_counts()
    reason = ""
    if both.empty:
        reason = "no case in common"
    elif unequal:
        reason = f"{unequal} of {len(both)} cases have another label: other patients"
    elif len(counts) < 2 or counts.min() < CASES_AT_LEAST:
        reason = f"fewer than {CASES_AT_LEAST} common cases of a class"
    if reason:
        return PairedAuc(number, model, split, len(both), None, reason)
    test = delong_test(
        both["label_a"].to_numpy(),
        both["probability_b"].to_numpy(),
        both["probability_a"].to_numpy(),
    )
    return PairedAuc(number, model, split, len(both), test)
