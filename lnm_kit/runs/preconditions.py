"""What a run needs beside its parameters, looked at before a kernel starts."""

from pathlib import Path

from lnm_kit.errors import InputError
from lnm_kit.runs.schemas import CommonParameters


def check_preconditions(parameters: CommonParameters) -> str | None:
    """Check cohort, device and weights, and return the identity of the cohort.

    Returns
    -------
    str or None
        Digest of the cohort that the run reads; None where it simulates its own.

    Raises
    ------
    InputError
        When the folder is no cohort or its files are wrong (every problem is listed), a GPU was
        asked for and there is none, or the weights cannot be had.
    """
    digest = None if parameters.cohort is None else _checked_digest(parameters.cohort)
    # torch is only loaded where something can be wrong: the usual start stays quick
    if parameters.device.startswith("cuda"):
        from lnm_kit.training.device import open_fabric

        open_fabric(parameters.device)
    network = getattr(parameters.resolved(), "network", None)
    if parameters.weights == "imagenet" and network is not None:
        from lnm_kit.networks.weights import find_imagenet_weights

        find_imagenet_weights(network)
    elif parameters.weights not in ("none", "imagenet") and not Path(parameters.weights).is_file():
        raise InputError(
            f"weights is {parameters.weights!r}, which is no file; allowed: none, imagenet, or the "
            "path of a safetensors file."
        )
    return digest


def _checked_digest(cohort: str) -> str:
    folder = Path(cohort)
    if not folder.is_dir():
        raise InputError(
            f"cohort {cohort!r} is not a folder; give the path of a folder with cohort.toml, "
            "cases.csv and images.csv, or leave it out to simulate one"
        )
    from lnm_kit.cohort import check_cohort, load_cohort
    from lnm_kit.cohort.problem import raise_problems

    raise_problems(check_cohort(folder), folder)
    return load_cohort(folder).digest()
