"""Tensors of a network as safetensors stores them, and their identity."""

import hashlib
from collections.abc import Mapping

from torch import Tensor


def contiguous_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State of a network as safetensors can store it: row-major, which channels-last is not."""
    return {key: value.detach().contiguous() for key, value in state.items()}


def digest_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the names, shapes, types and values of some tensors.

    Examples
    --------
    >>> import torch
    >>> digest_of_tensors({"a": torch.zeros(2)}) == digest_of_tensors({"a": torch.zeros(1, 2)})
    False
    """
    whole = hashlib.sha256()
    for key, value in sorted(contiguous_state(tensors).items()):
        whole.update(f"{key} {tuple(value.shape)} {value.dtype}".encode())
        whole.update(value.cpu().numpy().tobytes())
    return whole.hexdigest()
