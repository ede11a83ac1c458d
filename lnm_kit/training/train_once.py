"""A training done once: what was finished is loaded, what was broken off goes on."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file
from torch import nn

from lnm_kit.cache import cache_root, cached
from lnm_kit.sources import code_digest
from lnm_kit.training.checkpoint import claimed
from lnm_kit.training.history import History
from lnm_kit.training.tensors import contiguous_state, digest_of_tensors

_looking_only: ContextVar[bool] = ContextVar("looking_only", default=False)


class _NotTrainedError(Exception):
    """The training that was asked about is still to be done."""


def is_trained(training: Callable[[], object]) -> bool:
    """Whether a call that ends in `train_once` would find its result; nothing is trained."""
    before = _looking_only.set(True)
    try:
        training()
    except _NotTrainedError:
        return False
    finally:
        _looking_only.reset(before)
    return True


def describe_network(network: nn.Module) -> str:
    """Write down a network but for its weights: its parts and their plain attributes.

    The text that PyTorch prints of a network has what each layer chose to print. Two fusions that
    differ in the name of an operation alone would look the same there.

    Examples
    --------
    >>> half, third = nn.Identity(), nn.Identity()
    >>> half.share, third.share = 0.5, 0.3
    >>> str(half) == str(third), describe_network(half) == describe_network(third)
    (True, False)
    """
    parts = []
    for name, part in network.named_modules():
        plain = {
            key: value
            for key, value in sorted(vars(part).items())
            if key != "training" and _is_plain(value)
        }
        parts.append(f"{name}: {type(part).__qualname__} {plain}")
    return "\n".join([str(network), *parts])


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int | float)


def train_once(
    network: nn.Module,
    train: Callable[[Path], History],
    *,
    inputs: Mapping[str, Any],
    fabric: Fabric,
    code: Sequence[ModuleType],
) -> History:
    """Train a network in place, or load the result of the same training.

    The key holds `inputs`, the network's parts (`describe_network`) and initial weights, the kind
    of device, its precision, the number of processes, and the code of `code` with all that it
    imports.

    Parameters
    ----------
    network
        Not trained before: the key is taken from it as it is given.
    train
        Takes the path of a checkpoint, to write now and then and to resume from; trains
        `network` and returns the history of its epochs.
    inputs
        All else that the result depends on, as JSON can hold it.
    fabric
        The device that `train` computes on.
    code
        Modules whose code the result depends on.
    """
    inputs = {
        **inputs,
        "network": hashlib.sha256(describe_network(network).encode()).hexdigest(),
        "start": digest_of_tensors(network.state_dict()),
        "device": fabric.device.type,
        "n_processes": fabric.world_size,
        "precision": fabric._precision.precision,
    }

    def compute(folder: Path) -> None:
        if _looking_only.get():
            raise _NotTrainedError
        key = hashlib.sha256((json.dumps(inputs) + code_digest(code)).encode()).hexdigest()[:32]
        checkpoint = cache_root() / "unfinished-training" / f"{key}.ckpt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        # processes that train one network together read the same checkpoint
        alone = claimed(checkpoint) if fabric.world_size == 1 else nullcontext(checkpoint)
        with alone as path:
            history = train(path)
        save_file(contiguous_state(network.state_dict()), folder / "network.safetensors")
        history.epochs.to_parquet(folder / "history.parquet")
        (folder / "kept_epoch.json").write_text(json.dumps(history.kept_epoch))
        checkpoint.unlink(missing_ok=True)

    folder = cached("training", compute, inputs=inputs, code=code)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    kept_epoch = json.loads((folder / "kept_epoch.json").read_text())
    return History(pd.read_parquet(folder / "history.parquet"), kept_epoch)
