"""What a run knows of a model that it keeps: parameters, cohort, metrics, versions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnm_kit.runs.environment import git_revision, package_versions
from lnm_kit.runs.schemas import CommonParameters

if TYPE_CHECKING:
    from lnm_kit.cohort import Cohort

NAMED_WEIGHTS = ("none", "imagenet")


def describe_model(
    parameters: CommonParameters,
    cohort: "Cohort",
    *,
    name: str,
    metrics: Sequence[dict[str, Any]],
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
    """
    info = cohort.info
    counts = cohort.cases.groupby("split", sort=False).label.agg(["size", "sum"])
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
