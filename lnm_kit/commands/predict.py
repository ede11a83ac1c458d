"""The command ``lnm predict``."""

from pathlib import Path
from typing import Annotated

import typer

from lnm_kit.commands.shown import shown_path
from lnm_kit.errors import InputError


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="Folder of a model, e.g. runs/llnm/TIME-ID/models/network.",
        ),
    ],
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="Folder of a cohort.")],
    out: Annotated[
        Path | None,
        typer.Option(help="CSV file to write; without it the table goes to the standard output."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Predict with a network that a run has trained: case_id and probability of every case.

    The regions are cut as they were for training. The model's card (model_card.md beside it) says
    what it was trained on, how good it was there, and which images it needs of every case. A model
    that can do without some of them adds the column "missing". Not for clinical use.

    A file with the table: lnm predict runs/llnm/TIME-ID/models/network my_cohort --out mine.csv
    """
    from lnm_kit.cohort.folder import disk_errors, load_cohort
    from lnm_kit.runs.files import write_text
    from lnm_kit.training.device import open_fabric
    from lnm_kit.training.model_card import NOT_CLINICAL
    from lnm_kit.training.model_file import read_model
    from lnm_kit.training.model_prediction import predict_cohort

    if out is not None and not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}")
    trained = read_model(model)
    data = load_cohort(cohort)
    table = predict_cohort(trained, data, fabric=open_fabric(device))
    text = table.to_csv(index=False, lineterminator="\n")
    if out is None:
        typer.echo(text, nl=False)
    else:
        with disk_errors(out):
            write_text(out, text)
    if data.digest() == trained.card.cohort.digest:
        typer.echo(
            "This is the cohort that the model was trained on: the networks have seen its training "
            "cases, whose probabilities are better than those of new cases can be.",
            err=True,
        )
    if "missing" in table and table["missing"].any():
        counts = table["missing"].str.split().explode().value_counts().sort_index()
        said = [f"{name} ({n} case{'s' if n > 1 else ''})" for name, n in counts.items()]
        typer.echo(
            f"Predicted without what a case lacks: {', '.join(said)}; see the column missing. "
            "These probabilities are less sure; the model's card says what that costs.",
            err=True,
        )
    where = "" if out is None else f": {shown_path(out)}"
    typer.echo(f"{len(table)} cases predicted by {trained.card.name}{where}", err=True)
    typer.echo(NOT_CLINICAL, err=True)
