"""The state of a training after an epoch, on disk: written whole or not at all, never unpickled."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on.

    The random numbers of an epoch come from the seed and the epoch's number alone, so no state of a
    generator is needed.

    Parameters
    ----------
    training
        What is trained on what, in words and digests; a resumed training must have the same.
    network, optimizer
        Their ``state_dict()``.
    rows
        The history so far, one mapping an epoch.
    kept_epoch, kept_network
        The epoch that would be kept if training ended here; None when it is the last one.
    """

    training: dict[str, str]
    network: dict[str, Tensor]
    optimizer: dict[str, Any]
    rows: list[dict[str, float]]
    kept_epoch: int
    kept_network: dict[str, Tensor] | None

    def write(self, path: Path) -> None:
        """Write to a temporary sibling first, then move it into place.

        Raises
        ------
        OSError
            No space, no such folder or no permission; an older checkpoint stays as it was.
        """
        # in memory first: torch reports a full disk as a RuntimeError that names no cause
        content = BytesIO()
        torch.save(vars(self), content)
        with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            temporary = Path(folder) / path.name
            temporary.write_bytes(content.getbuffer())
            temporary.replace(path)

    @classmethod
    def read(cls, path: Path, training: Mapping[str, str], device: torch.device) -> "Checkpoint":
        """Read a checkpoint of the same training.

        Raises
        ------
        InputError
            Not a checkpoint, or one of another training (every difference is listed).
        """
        try:
            content = torch.load(path, map_location=device, weights_only=True)
            found = cls(**content)
        except (OSError, RuntimeError, UnpicklingError, EOFError, TypeError, KeyError) as error:
            raise InputError(
                f"checkpoint {path} cannot be read ({type(error).__name__}). "
                "Delete it to train from the start, or give another path."
            ) from error
        differences = [
            f"{key} is {training.get(key, 'absent')}, there {found.training.get(key, 'absent')}"
            for key in sorted({*training, *found.training})
            if training.get(key) != found.training.get(key)
        ]
        if differences:
            raise InputError(
                f"checkpoint {path} belongs to another training: {'; '.join(differences)}. "
                "Delete it to train from the start, or give another path."
            )
        return found


def copy_of_state(network: nn.Module) -> dict[str, Tensor]:
    """Copy parameters and buffers, so that later steps do not change them."""
    return {key: value.detach().clone() for key, value in network.state_dict().items()}
