"""Trained networks that leave the notebook: safetensors files and a card, never a pickle."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from lnm_kit.cohort.folder import staged_folder
from lnm_kit.errors import InputError
from lnm_kit.networks.backbones import build_network
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.networks.weights import save_weights
from lnm_kit.training.model_card import ModelCard
from lnm_kit.training.model_forms import ContrastForm, ImageForm

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
    networks: tuple[nn.Module, ...]


def write_model(folder: Path, networks: Sequence[nn.Module], about: dict[str, Any]) -> ModelCard:
    """Write networks and their card into a folder, which is there whole or not at all.

    Parameters
    ----------
    folder
        Replaced where it exists.
    networks
        Trained; the probability of the model is the mean of theirs.
    about
        The fields of `ModelCard` but for ``networks``.

    Returns
    -------
    The card, which is also in the folder, as TOML and as Markdown.

    Raises
    ------
    pydantic.ValidationError
        A field that a card cannot have.
    InputError
        A full disk, or a folder that cannot be written; or networks that are not what architecture
        and form on the card say, so that nobody could read them again.
    """
    with staged_folder(folder, replace=True) as part:
        entries = []
        for number, network in enumerate(networks, start=1):
            path = part / network_file(number)
            save_weights(network, path)
            entries.append({"sha256": _digest(path), **_normalization(network)})
        card = ModelCard.model_validate({**about, "networks": entries})
        _read_networks(part, card)
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


def network_file(number: int) -> str:
    """Return the name of the file of a network, counted from 1."""
    return f"network_{number}.safetensors"


def build_untrained(card: ModelCard) -> nn.Module:
    """Build a network as the card describes it, with random weights.

    Raises
    ------
    InputError
        An architecture that is not known, or that the form cannot have.
    """
    form, name = card.form, card.architecture
    if isinstance(form, ImageForm):
        return build_network(name, in_channels=form.in_channels, weights="none", seed=0)
    if isinstance(form, ContrastForm):
        return ModalityNetwork(
            form.modalities, backbone=name, weights="none", seed=0, dropout=form.dropout
        )
    return FusionNetwork(
        form.fusion,
        encoder=name,
        weights="none",
        seed=0,
        n_reference=form.n_reference,
        decoder_channels=form.decoder_channels,
    )


def _normalization(network: nn.Module) -> dict[str, list[float]]:
    """Mean and SD of the gray values of all branches, in their order."""
    found: dict[str, list[float]] = {"mean": [], "sd": []}
    for name, buffer in network.named_buffers():
        kind = name.rpartition(".")[2]
        if kind in found:
            found[kind] += buffer.tolist()
    return found


def _read_networks(folder: Path, card: ModelCard) -> list[nn.Module]:
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
        network = build_untrained(card)
        _fill(network, path)
        networks.append(network)
    return networks


def _fill(network: nn.Module, path: Path) -> None:
    """Give a network all of its parameters and buffers, and nothing else, from a file."""
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a safetensors file ({error}). {WHAT_A_MODEL_IS}"
        ) from error
    own = network.state_dict()
    wrong = [f"{key} is missing" for key in own if key not in found]
    wrong += [f"{key} is unknown" for key in found if key not in own]
    wrong += [
        f"{key} has shape {tuple(found[key].shape)}, needed {tuple(value.shape)}"
        for key, value in own.items()
        if key in found and found[key].shape != value.shape
    ]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(
            f"{path} does not fit the network that the card describes: {'; '.join(wrong[:3])}"
            f"{more}. {AGAIN}"
        )
    network.load_state_dict(found)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
