"""Trained networks that leave the notebook: safetensors files and a card, never a pickle."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightning_fabric import Fabric
from pydantic import ValidationError

from lnm_kit.cohort.folder import Cohort, staged_folder
from lnm_kit.errors import InputError
from lnm_kit.networks.backbones import ImageNetwork, build_network
from lnm_kit.networks.weights import load_weights, save_weights
from lnm_kit.regions.crop import crop_regions
from lnm_kit.regions.views import crop_views
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.model_card import ModelCard
from lnm_kit.training.prediction import predict

CARD_FILE = "model.toml"
READABLE_CARD_FILE = "model_card.md"
AGAIN = "Run the chapter again, or get the whole folder again."
WHAT_A_MODEL_IS = (
    f"A model is a folder with {CARD_FILE} and network_1.safetensors, ..., as a run leaves it in "
    "runs/CHAPTER/TIME-ID/models/; pickled files (.pt, .pth, .pkl) are never read, since they can "
    "run code."
)


@dataclass(frozen=True)
class Model:
    """Trained networks with their card."""

    card: ModelCard
    networks: tuple[ImageNetwork, ...]


def write_model(folder: Path, networks: Sequence[ImageNetwork], about: dict[str, Any]) -> ModelCard:
    """Write networks and their card into a folder, which is there whole or not at all.

    Parameters
    ----------
    folder
        Replaced where it exists.
    networks
        Trained; the probability of the model is the mean of theirs.
    about
        The fields of `ModelCard` but for ``networks`` and ``in_channels``.

    Returns
    -------
    The card, which is also in the folder, as TOML and as Markdown.

    Raises
    ------
    pydantic.ValidationError
        A field that a card cannot have.
    InputError
        A full disk, or a folder that cannot be written.
    """
    with staged_folder(folder, replace=True) as part:
        entries = []
        for number, network in enumerate(networks, start=1):
            path = part / network_file(number)
            save_weights(network, path)
            normalization = {name: network.get_buffer(name).tolist() for name in ("mean", "sd")}
            entries.append({"sha256": _digest(path), **normalization})
        channels = {network.in_channels for network in networks}
        card = ModelCard.model_validate(
            {**about, "networks": entries, "in_channels": channels.pop() if channels else 0}
        )
        (part / CARD_FILE).write_text(card.to_toml(), encoding="utf-8")
        # safetensors writes files that nobody else may read, and a model is there to be handed on
        for number in range(1, len(networks) + 1):
            (part / network_file(number)).chmod((part / CARD_FILE).stat().st_mode)
        (part / READABLE_CARD_FILE).write_text(card.to_markdown(), encoding="utf-8")
    return card


def read_model(folder: Path) -> Model:
    """Read a model; every file is compared with the digest on the card before it is used.

    Raises
    ------
    InputError
        No such folder, a card that is none, or a file that is missing, changed, cut short, or
        fits another network.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        found = "a file" if folder.is_file() else "a folder" if folder.is_dir() else "not there"
        raise InputError(f"{folder} is no model: it is {found} without a card. {WHAT_A_MODEL_IS}")
    try:
        card = ModelCard.from_toml(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the card"
        raise InputError(
            f"{path} is no card of a model: {where}: {first['msg']} ({error.error_count()} "
            f"problems). {AGAIN}"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). {AGAIN}") from error
    return Model(card, tuple(_read_networks(folder, card)))


def predict_cohort(model: Model, cohort: Cohort, *, fabric: Fabric) -> pd.DataFrame:
    """Probability of label 1 for every case of a cohort, from regions as the training cut them.

    Parameters
    ----------
    model
        From `read_model`.
    cohort
        With images of the kind that the model was trained on. Its labels are not used.
    fabric
        From `open_fabric`.

    Returns
    -------
    pandas.DataFrame
        `case_id` and `probability` in [0, 1], in the order of `cohort.cases`.

    Raises
    ------
    InputError
        Images of another modality, views that are missing, or images without a usable region.
    """
    card = model.card
    others = sorted(set(cohort.images["modality"]) - set(card.cohort.modalities))
    if others:
        raise InputError(
            f"the cohort holds images of modality {', '.join(others)}; the model {card.name!r} was "
            f"trained on {', '.join(card.cohort.modalities)}. Leave the others out of images.csv."
        )
    crops, owners = _regions(card, cohort)
    cases = cohort.cases.index.tolist()
    bank = ImageBank.of(crops, np.zeros(len(crops), int), owners, fabric.device)
    each = [predict(network, bank, cases, fabric=fabric) for network in model.networks]
    probability = np.stack(each).mean(axis=0, dtype=np.float32)
    return pd.DataFrame({"case_id": cases, "probability": probability})


def network_file(number: int) -> str:
    """Return the name of the file of a network, counted from 1."""
    return f"network_{number}.safetensors"


def _regions(card: ModelCard, cohort: Cohort) -> tuple[np.ndarray, list[str]]:
    if card.views:
        crops, _, _ = crop_views(cohort, card.views, size_px=card.image_size_px, margin=card.margin)
        return crops, cohort.cases.index.tolist()
    crops, _ = crop_regions(cohort, size_px=card.image_size_px, margin=card.margin)
    return crops, cohort.images["case_id"].tolist()


def _read_networks(folder: Path, card: ModelCard) -> list[ImageNetwork]:
    networks = []
    for number, entry in enumerate(card.networks, start=1):
        path = folder / network_file(number)
        if not path.is_file():
            raise InputError(f"{path} is missing. {WHAT_A_MODEL_IS}")
        if _digest(path) != entry.sha256:
            raise InputError(
                f"{path} is not the file that the card describes: it was changed or cut short "
                f"after the training, and is not used. {AGAIN}"
            )
        network = build_network(
            card.architecture, in_channels=card.in_channels, weights="none", seed=0
        )
        load_weights(network, path)
        networks.append(network)
    return networks


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
