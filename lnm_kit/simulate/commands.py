"""The command ``lnm cohort simulate``: a simulated cohort as a folder of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.simulate.cohort import copy_cohort, refuse_existing, require_space, simulate_cohort
from lnm_kit.simulate.population import check_simulation


def simulate(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Name of the study, e.g. llnm.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Cohort folder to write.")],
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    signal: Annotated[
        float, typer.Option(help="1 = the published associations, 0 = labels depend on nothing.")
    ] = 1.0,
    size: Annotated[float, typer.Option(help="Patients, relative to the study.")] = 1.0,
    n_jobs: Annotated[int, typer.Option(help="Processes that render; -1 = one a core.")] = -1,
) -> None:
    """Write a simulated cohort: images, masks, tables, and the truth behind the labels.

    It has the published counts and marginals of a study; no patient is behind any row or pixel.
    An existing folder is not overwritten.
    """
    check_simulation(study, seed=seed, signal=signal, size=size)
    refuse_existing(folder)
    require_space(folder, study, size)
    cohort = simulate_cohort(study, seed=seed, signal=signal, size=size, n_jobs=n_jobs)
    copy_cohort(cohort, folder)
    typer.echo(f"{folder}: simulated cohort of {study}, seed {seed}, signal {signal:g}")
