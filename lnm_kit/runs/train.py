"""One network on several GPUs or machines: ``torchrun -m lnm_kit.runs.train CHAPTER --out DIR``."""

import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from lightning_fabric import Fabric

from lnm_kit.commands.options import Assignments, ParameterFile
from lnm_kit.errors import InputError, one_of
from lnm_kit.runs.kept_model import describe_model

if TYPE_CHECKING:
    import pandas as pd

    from lnm_kit.cohort import Cohort
    from lnm_kit.networks import ImageNetwork
    from lnm_kit.training import ImageBank

# chapters whose network reads every image by itself, and takes the mean over those of a case
CHAPTERS = ("llnm", "lvlnm")
MODEL = "Network"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    chapter: Annotated[str, typer.Argument(help=f"One of {', '.join(CHAPTERS)}.")],
    out: Annotated[Path, typer.Option(help="Folder of the model that is written.")],
    parameters: Assignments = [],  # noqa: B006 - typer copies it
    file: ParameterFile = None,
) -> None:
    """Train a chapter's network once, with the processes that torchrun started, and keep it.

    One fold of the training split is held out: it shows the epochs and gives the threshold. The
    training goes on from its last checkpoint when it was broken off. `lnm predict` reads the model.

    On two GPUs: torchrun --nproc-per-node 2 -m lnm_kit.runs.train llnm -p epochs=100 --out mine
    """
    from lnm_kit.runs.parameters import check_parameters, parse_assignments, read_parameter_file
    from lnm_kit.runs.preconditions import check_preconditions
    from lnm_kit.training.device import describe_device, open_fabric

    one_of("chapter", chapter, CHAPTERS)
    values = (read_parameter_file(file) if file else {}) | parse_assignments(parameters)
    settings = check_parameters(chapter, values).resolved()
    check_preconditions(settings)
    if out.exists():
        raise InputError(f"{out} exists already; give a new folder.")
    fabric = open_fabric(settings.device)
    fabric.launch()
    logging.getLogger("lnm_kit").info("process %d: %s", fabric.global_rank, describe_device(fabric))
    _train(settings, out, fabric)


def main() -> None:
    """Run the command in each process; only the first one says what is wrong with the input."""
    logger = logging.getLogger("lnm_kit")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    try:
        app()
    except InputError as error:
        if os.environ.get("RANK", "0") == "0":
            typer.echo(f"lnm: {error}", err=True)
        sys.exit(2)


# the parameters of the network are fields of some chapters only
def _train(settings: Any, out: Path, fabric: Fabric) -> None:
    from lnm_kit.cohort.folds import patient_folds
    from lnm_kit.networks import build_network
    from lnm_kit.regions import crop_regions
    from lnm_kit.training import ImageBank, TrainingSettings, fit

    data = _load(settings, fabric)
    cases = data.cases
    crops, _ = crop_regions(data, size_px=settings.image_size_px)
    owners = data.images["case_id"].tolist()
    bank = ImageBank.of(crops, cases.label.loc[owners].to_numpy(), owners, fabric.device)
    training = cases.index[cases.split == "training"]
    fitted, held_out = patient_folds(
        cases.label.loc[training].to_numpy(),
        cases.patient_id.loc[training].to_numpy(),
        folds=settings.network_folds,
        seed=settings.seed,
    )[0]
    network = build_network(
        settings.network, in_channels=1, weights=settings.weights, seed=settings.seed
    )
    checkpoint = out.with_name(f".{out.name}.unfinished")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fit(
        network,
        bank,
        training[fitted].tolist(),
        training[held_out].tolist(),
        TrainingSettings(
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
        ),
        fabric=fabric,
        seed=settings.seed,
        checkpoint=checkpoint,
    )
    if fabric.is_global_zero:
        _keep(settings, out, network, bank, data, training[held_out], fabric)
        checkpoint.unlink(missing_ok=True)
    fabric.barrier()


def _load(settings: Any, fabric: Fabric) -> "Cohort":
    from lnm_kit.cohort import load_cohort
    from lnm_kit.simulate import simulate_cohort

    # the first process of a machine simulates, the others find it in the cache
    with fabric.rank_zero_first(local=True):
        root = settings.cohort or simulate_cohort(
            settings.chapter,
            seed=settings.seed,
            signal=settings.signal,
            size=settings.size,
            n_jobs=settings.n_jobs,
        )
    return load_cohort(root)


def _keep(
    settings: Any,
    out: Path,
    network: "ImageNetwork",
    bank: "ImageBank",
    data: "Cohort",
    held_out: "pd.Index",
    fabric: Fabric,
) -> None:
    """Measure the network on cases that it did not see, and write the model."""
    from lnm_kit.evaluation import auc, youden_threshold
    from lnm_kit.training import predict
    from lnm_kit.training.model_file import write_model
    from lnm_kit.training.model_forms import ImageForm

    rows, threshold = [], 0.5
    others = [name for name in data.cases.split.unique() if name != "training"]
    places = {"training, held-out fold": held_out}
    places |= {name: data.cases.index[data.cases.split == name] for name in others}
    for split, chosen in places.items():
        label = data.cases.label.loc[chosen]
        if label.nunique() < 2:
            continue
        score = predict(network, bank, chosen.tolist(), fabric=fabric)
        if chosen is held_out:
            threshold = youden_threshold(label, score)
        found = auc(label, score)
        rows.append({"model": MODEL, "split": split, "metric": "auc", **asdict(found)})
        typer.echo(f"AUC, {split}: {found}")
    about = describe_model(settings, data, name=MODEL, metrics=rows) | {
        "architecture": settings.network,
        "image_size_px": settings.image_size_px,
        "form": ImageForm(in_channels=network.in_channels, margin=0.15),
        "each_network": "trained on the training split but for one fold",
        "threshold": threshold,
        "threshold_from": "chosen on the held-out fold of the training split",
    }
    write_model(out, [network], about)
    typer.echo(f"{out}: a model for `lnm predict`, trained by {fabric.world_size} processes")


if __name__ == "__main__":
    main()
