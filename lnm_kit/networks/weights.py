"""Weights as safetensors files: ImageNet's from the Hugging Face cache, and our own."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import timm
from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HTTPError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from timm.models import adapt_input_conv
from torch import Tensor, nn

from lnm_kit.errors import InputError

FILE_NAME = "model.safetensors"
ANSWER_WITHIN_SECONDS = 3.0


def find_imagenet_weights(name: str) -> Path:
    """Path of timm's ImageNet weights of a network: from the local cache, else downloaded.

    One attempt with a short time limit decides whether the network can be reached; timm's own
    ``pretrained=True`` retries for about a minute.

    Parameters
    ----------
    name
        A timm architecture.

    Raises
    ------
    InputError
        timm has no such weights, or they are neither in the cache nor to be had.
    """
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        raise InputError(f"weights is 'imagenet', but timm has no ImageNet weights for {name}.")
    cached = try_to_load_from_cache(config.hf_hub_id, FILE_NAME)
    if isinstance(cached, str):
        return Path(cached)
    url = hf_hub_url(config.hf_hub_id, FILE_NAME)
    reason = _why_unreachable(url)
    if reason is None:
        try:
            return Path(hf_hub_download(config.hf_hub_id, FILE_NAME))
        except (OSError, HTTPError) as error:
            reason = _first_line(error)
    raise InputError(
        f"weights is 'imagenet', but the weights of {name} ({config.hf_hub_id}) are not in the "
        f"local Hugging Face cache and cannot be downloaded: {reason}. What to do: run once with "
        f"a network; or fetch {url} elsewhere and give the file as weights=PATH; or use "
        "weights=none (random initialization)."
    )


def load_weights(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill an `ImageNetwork` from a safetensors file, in place.

    A file written by `save_weights` fills everything. A file of a bare timm network fills the
    backbone: its classifier is left out and its first convolution adapted to the input channels.

    Parameters
    ----------
    network
        An `ImageNetwork`.
    path
        A safetensors file; pickled files (.pth, .pt, .bin) are refused since they can run code.

    Raises
    ------
    InputError
        No such file, not safetensors, or tensors that do not fit the network (all are listed).
    """
    found = _read(Path(path))
    own = network.state_dict()
    if "head.weight" not in found or not any(key.startswith("backbone.") for key in found):
        found = _as_backbone(found, network)
    problems = [f"{key} is missing" for key in own if key not in found]
    problems += [f"{key} is unknown" for key in found if key not in own]
    problems += [
        f"{key} has shape {tuple(found[key].shape)}, needed {tuple(own[key].shape)}"
        for key in own
        if key in found and found[key].shape != own[key].shape
    ]
    if problems:
        more = f"; and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise InputError(
            f"weights: {path} does not fit the network: {'; '.join(problems[:6])}{more}. "
            "Give weights of the same architecture and the same number of channels."
        )
    network.load_state_dict(found)


def save_weights(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write all parameters and buffers (the normalization too) as safetensors, atomically."""
    target = Path(path)
    tensors = {key: value.detach().cpu().contiguous() for key, value in _state(network).items()}
    with TemporaryDirectory(dir=target.parent) as folder:
        save_file(tensors, Path(folder) / target.name)
        (Path(folder) / target.name).replace(target)


def _state(network: nn.Module) -> dict[str, Tensor]:
    return dict(network.state_dict())


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(
            f"weights is {str(path)!r}; allowed: none, imagenet, or the path of a safetensors "
            "file. There is no such file."
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise InputError(
            f"weights: {path} is not a safetensors file ({error}). Pickled weights (.pth, .pt, "
            ".bin) are not read since they can run code; convert them to safetensors first."
        ) from error


def _as_backbone(found: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Rename a bare timm state, without its classifier, on top of the network's own head."""
    own = network.state_dict()
    config = getattr(network.backbone, "pretrained_cfg", {})
    classifier = str(config.get("classifier", "fc"))
    first = config.get("first_conv", "conv1")
    first_convolutions = [first] if isinstance(first, str) else list(first)
    state = {key: own[key] for key in own if not key.startswith("backbone.")}
    for key, value in found.items():
        if key.startswith(f"{classifier}."):
            continue
        if key.removesuffix(".weight") in first_convolutions and value.ndim == 4:
            channels = own[f"backbone.{key}"].shape[1]
            value = adapt_input_conv(channels, value) if value.shape[1] == 3 else value
        state[f"backbone.{key}"] = value
    return state


def _why_unreachable(url: str) -> str | None:
    """Say why a file of the hub cannot be had, or None when it can; takes seconds at most."""
    reasons = [f"no answer within {ANSWER_WITHIN_SECONDS:g} s"]

    def ask() -> None:
        try:
            get_hf_file_metadata(url, timeout=ANSWER_WITHIN_SECONDS)
        except (OSError, HTTPError) as error:
            reasons.append(_first_line(error))
        else:
            reasons.append("")

    # A thread, since the time limit of the request does not cover the look-up of the host's name.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN_SECONDS + 1)
    return reasons[-1] or None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
