"""What a run's artefacts say by themselves: the evidence that checklists ask for."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.published import published
from lnm_kit.runs.compare import SIMULATED_FROM
from lnm_kit.runs.finalists import FINALISTS, Finalist
from lnm_kit.runs.inventory import Run
from lnm_kit.runs.recorder import MODELS_FOLDER

IDENTIFIERS = ("patient_id", "center", "split", "label", "label_lateral")
EXPLAINED_BY = ("grad_cam", "shap", "saliency", "contributions")
SELECTED_BY = ("lasso", "selection_frequency", "volcano", "icc")
DELINEATED_BY = ("icc",)
NAMED_AT_MOST = 6


def run_cases(run: Run) -> pd.DataFrame | None:
    """Return the case table of the cohort that a run read; None where it is not to be had.

    Simulated patients are drawn again from the run's parameters; a cohort folder counts if it is
    still the one that the run read.
    """
    from lnm_kit.cohort import load_cohort
    from lnm_kit.simulate.population import simulate_population

    given = run.parameters
    if "cohort" in given:
        try:
            cohort = load_cohort(str(given["cohort"]))
            same = run.record.get("cohort_digest") in (None, cohort.digest())
        except InputError:
            return None
        return cohort.cases if same else None
    if not set(SIMULATED_FROM) <= set(given):
        return None
    drawn = {name: given[name] for name in SIMULATED_FROM}
    cases, _ = simulate_population(run.chapter, **drawn)
    return cases.assign(label=cases["label_lateral"]) if given.get("site") == "lateral" else cases


def evidence_of(run: Run, cases: pd.DataFrame | None) -> dict[str, str]:
    """Return what a run of a study proves, by the names that checklists use.

    Parameters
    ----------
    run
        A good run of one of the five studies.
    cases
        Of `run_cases`; without it nothing is said of patients.

    Returns
    -------
    dict
        A name is missing where no artefact proves it: silence is never a yes.

    Raises
    ------
    InputError
        When the run's metrics cannot be read.
    """
    finalist = FINALISTS[run.chapter]
    metrics = pd.DataFrame(
        run.metrics(), columns=["model", "split", "metric", "value", "lo", "hi", "method"]
    )
    found = {
        **_settings(run),
        **_results(run, finalist, metrics.dropna(subset=["value"])),
        **(_patients(run, finalist, metrics, cases) if cases is not None else {}),
        "explanations": _figures(run, EXPLAINED_BY),
        "selection": _figures(run, SELECTED_BY),
        "delineation": _figures(run, DELINEATED_BY),
    }
    return {name: text for name, text in found.items() if text}


def _settings(run: Run) -> dict[str, str]:
    given, versions = run.parameters, run.record.get("versions") or {}
    revision = str(run.record.get("git_revision") or "")
    exact = bool(revision) and "+" not in revision
    spacing = given.get("radiomics_spacing_mm")
    types = {"wavelets": given.get("wavelets"), "filters": given.get("filters")}
    types_said = ", ".join(
        f"{name} {_plain(value)}" for name, value in types.items() if value is not None
    )
    resampled = f"to {spacing} mm" if spacing is not None else ""
    extractor = f"engine of lnm_kit {versions['lnm-kit']}" if "lnm-kit" in versions else ""
    simulated = "cohort" not in given
    models = sorted(path.name for path in (run.folder / MODELS_FOLDER).glob("*") if path.is_dir())
    return {
        "code": f"commit {revision[:7]}" if exact else "",
        "resampling": resampled,
        "image_types": types_said,
        "extraction": f"{resampled}; {types_said}" if resampled and types_said else "",
        "software": extractor if spacing is not None else "",
        "data": f"simulated, made again from seed {given['seed']}"
        if simulated and "seed" in given
        else "",
        "model": _few(models),
    }


def _results(run: Run, finalist: Finalist, metrics: pd.DataFrame) -> dict[str, str]:
    held_out = metrics[metrics["split"] == finalist.held_out]
    areas = held_out[held_out["metric"] == "auc"].set_index("model")["value"]
    own = areas.get(finalist.model)
    decided = held_out[held_out["model"] == finalist.model].set_index("metric")["value"]
    both = {"sensitivity", "specificity"} <= set(decided.index)
    shown = metrics.dropna(subset=["lo", "hi"])
    calibrated = metrics["metric"].str.replace("calibration_", "").isin(["slope", "intercept"])
    of_final = metrics[calibrated]["model"].str.startswith(finalist.model)
    # of a difference that was taken in several splits, that of the held-out one counts
    differences = metrics[metrics["metric"] == "auc_difference"]
    in_order = differences.sort_values(
        "split", key=lambda split: split != finalist.held_out, kind="stable"
    )
    tested = in_order.drop_duplicates("model").set_index("model")["value"]
    inside = metrics[
        (metrics["model"] == finalist.model)
        & metrics["split"].isin(["training", "validation"])
        & (metrics["metric"] == "auc")
    ]

    def beside(names: Iterable[str]) -> str:
        wanted = [name for name in names if name]
        if own is None or not wanted or not set(wanted) <= set(areas.index):
            return ""
        return f"{_few([f'{name} {areas[name]:.2f}' for name in wanted])}; final {own:.2f}"

    def against(names: Iterable[str]) -> str:
        wanted = {name: f"{finalist.model} minus {name}" for name in names if name}
        if not wanted or not set(wanted.values()) <= set(tested.index):
            return ""
        return _few([f"{name} {tested[pair]:+.2f}" for name, pair in wanted.items()])

    return {
        "discrimination": f"AUC {own:.2f} held out" if own is not None else "",
        "decisions": f"sensitivity {decided['sensitivity']:.2f}, specificity "
        f"{decided['specificity']:.2f}"
        if both
        else "",
        "intervals": f"{len(shown)} of {len(metrics)} metrics"
        if len(metrics) and len(shown) == len(metrics)
        else "",
        "calibration": f"slope and intercept, {int(of_final.sum())} values"
        if of_final.any()
        else "",
        "comparison": f"{_count(len(tested), 'difference')} of AUCs with intervals"
        if len(tested)
        else "",
        "clinical": beside([finalist.clinical]),
        "clinical_test": against([finalist.clinical]),
        "simple_test": against([finalist.simple]),
        "single_test": against(finalist.single),
        "internal": f"AUC in {_few(sorted(set(inside['split'])))}" if len(inside) else "",
    }


def _patients(
    run: Run, finalist: Finalist, metrics: pd.DataFrame, cases: pd.DataFrame
) -> dict[str, str]:
    given = run.parameters
    is_simulated = "cohort" not in given
    said = "simulated: " if is_simulated else ""
    counts = cases.groupby("split", sort=False)["label"].agg(["size", "sum"])
    numbers = _few([f"{row.Index} {row.size} ({row.sum} +)" for row in _rows(counts)])
    centers = {str(split): set(part["center"]) for split, part in cases.groupby("split")}
    trained = centers.get("training", set())
    own = (metrics["model"] == finalist.model) & (metrics["metric"] == "auc")
    judged = [split for split in metrics[own]["split"].unique() if split in centers]
    outside = [split for split in judged if trained and not centers[split] & trained]
    tested = finalist.held_out in judged
    origin = "another center" if finalist.held_out in outside else "the training center"
    apart = bool((cases.groupby("patient_id")["split"].nunique() == 1).all())
    several = cases["center"].nunique()
    judged_centers = set().union(*(centers[split] for split in judged)) if judged else set()
    columns = [name for name in cases.columns if name not in IDENTIFIERS]
    source, positive = _described(run, is_simulated)
    complete = not cases.isna().any().any()
    return {
        "source": source,
        "outcome": f"1 = {positive}",
        "partition": f"{said}no patient in two splits; {numbers}" if apart else "",
        "counts": f"{said}{numbers}",
        "centers": f"{said}{several} centers" if several > 1 else "",
        "external": f"{said}{_few(outside)} from another center" if outside else "",
        "testing": f"{said}{finalist.held_out} from {origin}" if tested else "",
        "by_center": f"{said}AUC in {len(judged_centers)} centers"
        if len(judged_centers) > 1
        else "",
        "complete": f"{said}no empty value in {len(cases.columns)} columns" if complete else "",
        "predictors": f"{said}{_few(columns)}" if columns else "",
    }


def _described(run: Run, is_simulated: bool) -> tuple[str, str]:
    """Where the cases come from, and what label 1 means."""
    if is_simulated:
        return f"simulated, seed {run.parameters['seed']}", str(published(run.chapter)["positive"])
    from lnm_kit.cohort import load_cohort

    info = load_cohort(str(run.parameters["cohort"])).info
    return info.source, info.positive


def _figures(run: Run, beginnings: Iterable[str]) -> str:
    names = [name for name in run.figures if name.startswith(tuple(beginnings))]
    return f"figure {_few(names)}" if names else ""


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _few(words: Iterable[str]) -> str:
    named = list(words)
    more = f" and {len(named) - NAMED_AT_MOST} more" if len(named) > NAMED_AT_MOST else ""
    return ", ".join(named[:NAMED_AT_MOST]) + more


def _plain(value: object) -> str:
    return (
        {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def _rows(table: pd.DataFrame) -> Any:
    return table.itertuples()
