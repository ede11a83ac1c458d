"""The command ``lnm stress``: protocols repeated where the truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.errors import InputError
from lnm_kit.evaluation.stress import CLAIMED_AUC, PROTOCOLS, Design, stress, summarize


def stress_command(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STEP]...", help=f"Some of: {', '.join(PROTOCOLS)}. All without it."
        ),
    ] = None,
    repetitions: Annotated[int, typer.Option(help="Tables drawn.")] = 200,
    oracle_auc: Annotated[
        float, typer.Option(help="AUC of the best possible score; 0.5: nothing to find.")
    ] = 0.5,
    patients: Annotated[int, typer.Option(help="Patients of a table.")] = Design.patients,
    prevalence: Annotated[float, typer.Option(help="Share of positives.")] = Design.prevalence,
    features: Annotated[int, typer.Option(help="Features of an image.")] = Design.features,
    seed: Annotated[int, typer.Option(help="Of the tables and folds.")] = 0,
    n_jobs: Annotated[int, typer.Option(help="Processes; -1 = one per processor.")] = -1,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write every repetition as CSV.")
    ] = None,
) -> None:
    """Measure what honest and leaky protocols report where the truth is known.

    Tables of features with a known truth are drawn again and again; each step of a study is done
    in its honest and in its leaky form. Shown are the mean AUC that is reported, the mean AUC that
    the fitted score truly has, and how often a finding would be claimed.

    Nothing to find: lnm stress

    With a signal, one step only: lnm stress --oracle-auc 0.8 "selection of features"
    """
    if csv is not None and not csv.parent.is_dir():
        raise InputError(f"{csv.parent} is no folder; no table can be written there.")
    design = Design(
        patients=patients, prevalence=prevalence, features=features, oracle_auc=oracle_auc
    )
    runs = stress(
        design,
        repetitions=repetitions,
        seed=seed,
        steps=tuple(steps or PROTOCOLS),
        n_jobs=n_jobs,
    )
    table = summarize(runs).round(3)
    typer.echo(table.to_string(index=False, na_rep="-"))
    typer.echo(
        f"\n{repetitions} tables of {patients} patients, {design.positive} positive; the best "
        f"possible AUC is {oracle_auc:g}. 'claimed': AUC above {CLAIMED_AUC:g}, interval above 0.5."
    )
    if csv is not None:
        temporary = csv.with_name(csv.name + ".part")
        runs.to_csv(temporary, index=False)
        temporary.replace(csv)
        typer.echo(f"{csv}: written")
