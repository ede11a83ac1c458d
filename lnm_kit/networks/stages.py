"""A network block by block: what each part answers, holds and costs."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from timm.layers import SEModule
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lnm_kit.errors import InputError


def stage_table(network: nn.Module, *, side_px: int) -> pd.DataFrame:
    """Table of the parts of a network, in the order in which an image passes them.

    A part is a stage of equal blocks, a convolution with its normalization and activation, a
    pooling, or a linear layer. One black image is passed; nothing is trained.

    Parameters
    ----------
    network
        An `ImageNetwork`; left in its mode.
    side_px
        Height and width of the image.

    Returns
    -------
    One row for each part: ``module`` (a name for ``network.get_submodule``), ``kind`` and
    ``n_blocks``, ``channels``, ``height_px`` and ``width_px`` of what it answers, ``parameters``,
    and ``gmac``, the 10^9 multiply-accumulates of its convolutions, linear layers and attention
    for one image. Parameters and costs of the rows add up to those of the network; parameters
    that belong to no part, such as the class token of a vision transformer, have a row of their
    own, with no size.

    Raises
    ------
    InputError
        A size that the network cannot read.

    Notes
    -----
    Papers that report "FLOPs" of image networks mostly mean multiply-accumulates, as here: 1.8
    billion for a ResNet-18 at 224 px (He et al., "Deep residual learning", CVPR 2016, table 1).

    Examples
    --------
    >>> from lnm_kit.networks import build_network
    >>> network = build_network("tresnet", in_channels=1, weights="none", seed=0)
    >>> table = stage_table(network, side_px=64).set_index("module")
    >>> print(*table.loc["backbone.layer1", ["kind", "n_blocks", "channels", "height_px"]])
    BasicBlock + SE 3 64 32
    """
    if side_px < 1:
        raise InputError(f"side_px is {side_px}; allowed: 1 or more.")
    names = _part_names(network)
    counter = FlopCounterMode(display=False)
    # of the ways to compute attention, only the plain one is made of products that are counted
    with counter, sdpa_kernel(SDPBackend.MATH):
        shapes = output_shapes(network, names, side_px=side_px)
    operations = {
        name.removeprefix(f"{type(network).__name__}."): sum(counts.values())
        for name, counts in counter.get_flop_counts().items()
    }
    rows: list[dict[str, Any]] = []
    for name, (channels, height, width) in shapes.items():
        module = network.get_submodule(name)
        n_parameters = sum(parameter.numel() for parameter in module.parameters())
        if rows and not operations.get(name) and not _pools(module):
            # normalization and activation belong to the convolution before them
            rows[-1]["parameters"] += n_parameters
            continue
        kind, n_blocks = _blocks(module)
        rows.append(
            {
                "module": name,
                "kind": kind,
                "n_blocks": n_blocks,
                "channels": channels,
                "height_px": height,
                "width_px": width,
                "parameters": n_parameters,
                # a multiplication and an addition count as two operations
                "gmac": operations.get(name, 0) / 2e9,
            }
        )
    table = pd.DataFrame(rows + _loose_parameters(network, names))
    sizes = ["n_blocks", "channels", "height_px", "width_px"]
    return table.astype(dict.fromkeys(sizes, "Int64"))


def output_shapes(
    network: nn.Module, names: Sequence[str], *, side_px: int
) -> dict[str, tuple[int, int, int]]:
    """Channels, height and width of what modules answer, in the order in which they answer.

    Parameters
    ----------
    network
        An `ImageNetwork` or any network whose first convolution reads the images.
    names
        Names of submodules; those that are not used have no entry in the answer.
    side_px
        Height and width of the image that is passed.
    """
    shapes: dict[str, tuple[int, int, int]] = {}

    def note(name: str, module: nn.Module, answer: Tensor) -> None:
        _, channels, height, width = as_maps(answer, network, module).shape
        shapes[name] = (channels, height, width)

    hooks = [
        network.get_submodule(name).register_forward_hook(
            lambda module, _given, answer, name=name: note(name, module, answer)
        )
        for name in names
    ]
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    image = first.weight.new_zeros(1, first.in_channels, side_px, side_px)
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            network(image)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return shapes


def as_maps(answer: Tensor, network: nn.Module, module: nn.Module | None = None) -> Tensor:
    """Answer of a module as maps (N, C, H, W), whatever its axes are.

    Features (N, C) become maps of one place. Of the tokens (N, T, C) of a vision transformer on
    square images, those of patches are laid out as the patches lie, and the class token is left
    out.

    Parameters
    ----------
    answer
        What the module answered.
    network
        The network, or its backbone, which knows the number of other tokens.
    module
        The module; one that says that its channels are the last axis is believed.
    """
    if answer.ndim == 4:
        last = getattr(module, "output_fmt", "NCHW") == "NHWC"
        return answer.permute(0, 3, 1, 2) if last else answer
    if answer.ndim == 2:
        return answer[:, :, None, None]
    if answer.ndim != 3:
        return answer.reshape(len(answer), -1, 1, 1)
    others = getattr(getattr(network, "backbone", network), "num_prefix_tokens", 0)
    patches = answer[:, others:].transpose(1, 2)
    side = round(patches.shape[2] ** 0.5)
    if side * side != patches.shape[2]:
        raise InputError(
            f"{patches.shape[2]} tokens do not fill a square. Give images as wide as they are high."
        )
    return patches.unflatten(2, (side, side))


def _part_names(network: nn.Module) -> list[str]:
    """Children of the network and of its backbone; unlike ones in a row are parts of their own."""
    names = []

    def descend(module: nn.Module, prefix: str) -> None:
        for name, child in module.named_children():
            kinds = {type(grandchild) for grandchild in child.children()}
            in_a_row = isinstance(child, nn.Sequential) and len(kinds) > 1
            if prefix + name == "backbone" or (in_a_row and any(True for _ in child.parameters())):
                descend(child, f"{prefix}{name}.")
            else:
                names.append(prefix + name)

    descend(network, "")
    return names


def _blocks(module: nn.Module) -> tuple[str, int]:
    """Kind of a part and the number of equal blocks in it."""
    kind, n_blocks = type(module).__name__, 1
    if isinstance(module, nn.Sequential | nn.ModuleDict):
        kinds = list(dict.fromkeys(type(child).__name__ for child in module.children()))
        kind, n_blocks = " + ".join(kinds), len(list(module.children())) if len(kinds) == 1 else 1
    if any(isinstance(part, SEModule) for part in module.modules()):
        kind += " + SE"
    return kind, n_blocks


def _pools(module: nn.Module) -> bool:
    return any("Pool" in type(part).__name__ for part in module.modules())


def _loose_parameters(network: nn.Module, names: Sequence[str]) -> list[dict[str, Any]]:
    """One row for the parameters that are in none of the parts, if there are any."""
    loose = {
        name: parameter.numel()
        for name, parameter in network.named_parameters()
        if not name.startswith(tuple(f"{part}." for part in names))
    }
    if not loose:
        return []
    row = {"module": ", ".join(loose), "kind": "Parameter", "parameters": sum(loose.values())}
    return [row | {"gmac": 0.0}]
