"""Weights as safetensors files: ImageNet's from timm or torchvision, and our own."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.request import Request, urlopen

import timm
import torch
from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HTTPError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from timm.models import VGG, adapt_input_conv
from torch import Tensor, nn
from torchvision.models import AlexNet_Weights

from lnm_kit.errors import InputError

FILE_NAME = "model.safetensors"
ANSWER_WITHIN_SECONDS = 3.0


def find_imagenet_weights(name: str) -> Path:
    """Path of the ImageNet weights of a network: from the local cache, else downloaded.

    One attempt with a short time limit decides whether the network can be reached; timm's own
    ``pretrained=True`` retries for about a minute.

    Parameters
    ----------
    name
        ``alexnet`` (torchvision's weights), or a timm architecture.

    Raises
    ------
    InputError
        There are no such weights, or they are neither in the cache nor to be had.
    """
    if name == "alexnet":
        return _find_alexnet_weights()
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        raise InputError(f"weights is 'imagenet', but timm has no ImageNet weights for {name}.")
    cached = try_to_load_from_cache(config.hf_hub_id, FILE_NAME)
    if isinstance(cached, str):
        return Path(cached)
    url = hf_hub_url(config.hf_hub_id, FILE_NAME)
    reason = _why_unreachable(lambda: get_hf_file_metadata(url, timeout=ANSWER_WITHIN_SECONDS))
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


def _find_alexnet_weights() -> Path:
    """Weights of torchvision, which are pickled, as a safetensors file beside them."""
    url = AlexNet_Weights.IMAGENET1K_V1.url
    pickled = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    # torchvision writes the first digits of a file's SHA-256 into its name
    digest_start = pickled.stem.rpartition("-")[2]
    target = pickled.with_suffix(".safetensors")
    if target.is_file():
        return target
    if not pickled.is_file():
        request = Request(url, method="HEAD")
        reason = _why_unreachable(lambda: urlopen(request, timeout=ANSWER_WITHIN_SECONDS).close())
        if reason is None:
            try:
                pickled.parent.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(url, str(pickled), hash_prefix=digest_start)
            except (OSError, RuntimeError) as error:
                reason = _first_line(error)
        if reason is not None:
            raise InputError(
                "weights is 'imagenet', but the weights of alexnet are not in the local cache of "
                f"torchvision and cannot be downloaded: {reason}. What to do: run once with a "
                f"network; or fetch {url} elsewhere and put it into {pickled.parent}; or use "
                "weights=none (random initialization)."
            )
    if not hashlib.sha256(pickled.read_bytes()).hexdigest().startswith(digest_start):
        raise InputError(
            f"weights is 'imagenet', but {pickled} is broken: its SHA-256 does not start with "
            f"{digest_start}. Delete the file and fetch it again from {url}."
        )
    # only tensors are unpickled, so that the file cannot run code
    _write(torch.load(pickled, weights_only=True, map_location="cpu"), target)
    return target


def load_weights(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill an `ImageNetwork` from a safetensors file, in place.

    A file written by `save_weights` fills everything. A file of a bare timm network, or AlexNet or
    VGG of torchvision, fills the backbone: its classifiers are left out and its first convolution
    adapted to the input channels.

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
    _write(network.state_dict(), Path(path))


def _write(state: dict[str, Tensor], target: Path) -> None:
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    with TemporaryDirectory(dir=target.parent) as folder:
        save_file(tensors, Path(folder) / target.name)
        (Path(folder) / target.name).replace(target)


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
    for published, value in found.items():
        key = published
        if isinstance(network.backbone, VGG):
            key, value = _as_timm_vgg(key, value)
        # the second classifier of Inception v3, which only serves its training
        if key.startswith((f"{classifier}.", "AuxLogits.")):
            continue
        if key.removesuffix(".weight") in first_convolutions and value.ndim == 4:
            channels = own[f"backbone.{key}"].shape[1]
            value = adapt_input_conv(channels, value) if value.shape[1] == 3 else value
        state[f"backbone.{key}"] = value
    return state


def _as_timm_vgg(key: str, value: Tensor) -> tuple[str, Tensor]:
    """Rename a tensor of torchvision's VGG, whose linear layers are convolutions in timm."""
    renamed = key
    for layer, name in (("0", "pre_logits.fc1"), ("3", "pre_logits.fc2"), ("6", "head.fc")):
        renamed = re.sub(rf"^classifier\.{layer}\.", f"{name}.", renamed)
    if renamed == "pre_logits.fc1.weight":
        value = value.reshape(len(value), -1, 7, 7)
    if renamed == "pre_logits.fc2.weight":
        value = value.reshape(len(value), -1, 1, 1)
    return renamed, value


def _why_unreachable(ask_host: Callable[[], object]) -> str | None:
    """Say why a file cannot be had, or None when it can; takes seconds at most."""
    reasons = [f"no answer within {ANSWER_WITHIN_SECONDS:g} s"]

    def ask() -> None:
        try:
            ask_host()
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
