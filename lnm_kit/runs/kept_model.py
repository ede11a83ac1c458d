"""What a run knows of a model that it keeps: parameters, cohort, metrics, versions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnm_kit.runs.environment import git_revision, package_versions
from lnm_kit.runs.schemas import CommonParameters

if TYPE_CHECKING:
    import pandas as pd

    from lnm_kit.cohort import Cohort

NAMED_WEIGHTS = ("none", "imagenet")


def describe_model(
    parameters: CommonParameters,
    cohort: "Cohort",
    *,
    name: str,
    metrics: Sequence[dict[str, Any]],
    label: "pd.Series[int] | None" = None,
) -> dict[str, Any]:
    """Return the fields of a `ModelCard` that do not depend on the networks.

    Parameters
    ----------
    parameters
        Of the run. Paths of a user are left out: they are nobody's business who gets the model.
    cohort
        What was trained and measured on.
    name
        The model's name.
    metrics
        Rows of ``metrics.json``; those of this model are taken.
    label
        What was learned, of the cases that took part; by default the label of all cases.
    """
    info = cohort.info
    learned = cohort.cases["label"] if label is None else label
    splits = cohort.cases["split"].loc[learned.index]
    counts = learned.groupby(splits, sort=False).agg(["size", "sum"])
    paths = {"cohort", *([] if parameters.weights in NAMED_WEIGHTS else ["weights"])}
    revision = git_revision(Path(__file__).parent) or "unknown"
    return {
        "name": name,
        "chapter": parameters.chapter,
        "cohort": {
            "name": info.name,
            "digest": cohort.digest(),
            "endpoint": info.endpoint,
            "positive": info.positive,
            "label": str(learned.name),
            "simulated": info.simulated,
            "modalities": sorted(set(cohort.images["modality"])),
        },
        "splits": [
            {"split": str(split), "cases": int(row["size"]), "positive": int(row["sum"])}
            for split, row in counts.iterrows()
        ],
        "parameters": parameters.model_dump(exclude_none=True, exclude=paths),
        "metrics": [
            {key: value for key, value in row.items() if key != "model"}
            for row in metrics
            if row["model"] == name
        ],
        "versions": {"git_revision": revision} | package_versions(),
    }
