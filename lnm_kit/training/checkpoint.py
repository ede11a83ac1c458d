"""The state of a training after an epoch, on disk: written whole or not at all, never unpickled."""

import fcntl
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError

DAMAGE = (
    BadZipFile,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    UnpicklingError,
    ValueError,
)

EVERY_S = 10.0
"""Time between two checkpoints, at least: writing one can take an eighth of a short epoch."""

_log = logging.getLogger("lnm_kit")


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
            found = cls(**_content(path, device))
        except DAMAGE as error:
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


def is_due(written: float) -> bool:
    """Whether the last checkpoint, or the beginning, is `EVERY_S` ago by ``time.monotonic()``.

    Examples
    --------
    >>> is_due(time.monotonic()), is_due(time.monotonic() - EVERY_S)
    (False, True)
    """
    return time.monotonic() - written >= EVERY_S


@contextmanager
def claimed(path: Path) -> Iterator[Path]:
    """Give the checkpoint of a training to one process; damage and rivals do not stop it.

    A file that cannot be read is removed with a warning: the training then begins at its start.
    While another process of this machine trains the same, the path is one of our own, so that
    neither sees the other's file come and go; both end with the same network.
    """
    lock_path = path.with_suffix(".lock")
    with lock_path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with TemporaryDirectory(dir=path.parent, prefix=".second-") as folder:
                yield Path(folder) / path.name
            return
        _remove_if_damaged(path)
        try:
            yield path
        finally:
            lock_path.unlink(missing_ok=True)


def _content(path: Path, device: torch.device) -> dict[str, Any]:
    # torch does not look at the checksums that it writes: a changed weight would pass
    with ZipFile(path) as archive:
        changed = archive.testzip()
    if changed is not None:
        raise BadZipFile(f"{changed} was changed")
    return torch.load(path, map_location=device, weights_only=True)


def _remove_if_damaged(path: Path) -> None:
    if not path.exists():
        return
    try:
        Checkpoint(**_content(path, torch.device("cpu")))
    except DAMAGE as error:
        _log.warning(
            "checkpoint %s is damaged (%s): trained from the start", path, type(error).__name__
        )
        path.unlink()


def copy_of_state(network: nn.Module) -> dict[str, Tensor]:
    """Copy parameters and buffers, so that later steps do not change them."""
    return {key: value.detach().clone() for key, value in network.state_dict().items()}
