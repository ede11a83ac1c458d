"""What the profile `paper` asks of a GPU: the passes and operations of all its networks, counted.

Nothing is trained or timed. One training step of each network is counted on shapes alone
(PyTorch's fake tensors), and multiplied by the images, epochs, folds and repeats that the chapter
gives it. The networks of single clips in `ceus` are left out: they are next to nothing.

    python -m benchmarks --only paper_profile
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from lnm_kit.networks import build_network
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.multitask import MultitaskNetwork, MultitaskOutput
from lnm_kit.networks.triple import ModalityNetwork
from lnm_kit.runs.profiles import PROFILES
from lnm_kit.simulate import simulate_population
from lnm_kit.simulate.frames import draw_views
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.population import split_plan

PACKAGES = ("lnm-kit", "torch", "torchvision", "timm")
CEUS_CHANNELS = 7
"""Of a case's images, stacked: B-mode, the contrast frame in color, and others."""


@dataclass(frozen=True)
class Training:
    """Networks of one kind: how many, and how often they look at an image, all together."""

    chapter: str
    kind: str
    network: str
    networks: int
    size_px: int
    passes: int
    operations_an_image: int


def operations(network: nn.Module, *shapes: tuple[int, ...]) -> int:
    """Additions and multiplications of a training step, for one of two images, matrices only."""
    network.train()
    with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        answer = network(*(torch.empty(2, *shape) for shape in shapes))
        if isinstance(answer, MultitaskOutput):
            loss = answer.logit.sum() + sum(maps.sum() for maps in answer.segmentations)
        else:
            loss = answer.sum()
        loss.backward()
    return counter.get_total_flops() // 2


def of_one_image(name: str, channels: int, size_px: int) -> int:
    """Operations of a backbone with one logit."""
    network = build_network(name, in_channels=channels, weights="none", seed=0)
    return operations(network, (channels, size_px, size_px))


def kept(n: int, folds: int) -> int:
    """Cases of n that a network of one fold is trained on, about."""
    return n * (folds - 1) // folds


def compared(
    chapter: str, names: tuple[str, ...], n: int, settings: dict[str, Any]
) -> Iterator[Training]:
    """Networks that are trained on the first fold's cases."""
    px, epochs = settings["image_size_px"], settings["compared_epochs"]
    for name in names:
        if not is_there(name, settings):
            yield Training(chapter, "compared", name, 1, px, epochs * n, of_one_image(name, 1, px))


def is_there(name: str, settings: dict[str, Any]) -> bool:
    """Whether a compared network is the study's own, which the cache then holds."""
    return name == settings["network"] and settings["compared_epochs"] == settings["epochs"]


def llnm(settings: dict[str, Any]) -> Iterator[Training]:
    """Feng 2025: TResNet by folds; five networks on the first fold."""
    folds, px, name = settings["network_folds"], settings["image_size_px"], settings["network"]
    n = kept(split_plan("llnm", settings["size"]).n["training"], folds)
    passes = folds * n * settings["epochs"]
    yield Training("llnm", "by folds", name, folds, px, passes, of_one_image(name, 1, px))
    five = ("tresnet", "resnet34", "resnet101", "resnet18", "inception_v3")
    yield from compared("llnm", five, n, settings)


def lvlnm(settings: dict[str, Any]) -> Iterator[Training]:
    """Ni 2024: each image is a case; DenseNet by folds; five networks on the first fold."""
    folds, px, name = settings["network_folds"], settings["image_size_px"], settings["network"]
    cases, _ = simulate_population("lvlnm", seed=0, signal=1.0, size=settings["size"])
    views = draw_views(population_model("lvlnm"), cases["split"], seed=0)
    n_images = sum(len(views[case]) for case in cases.index[cases.split == "training"])
    n = kept(n_images, folds)
    passes = folds * n * settings["epochs"]
    yield Training("lvlnm", "by folds", name, folds, px, passes, of_one_image(name, 1, px))
    five = ("alexnet", "densenet121", "inception_v3", "resnet50", "vit_small_patch16_224")
    yield from compared("lvlnm", five, n, settings)


def clnm(settings: dict[str, Any]) -> Iterator[Training]:
    """M. Li 2026: one plane, the other, both, by folds; both without signal; the leak, twice."""
    folds, px, name = settings["network_folds"], settings["image_size_px"], settings["network"]
    n, epochs = split_plan("clnm", settings["size"]).n["training"], settings["epochs"]
    passes = folds * kept(n, folds) * epochs
    one, two = (of_one_image(name, channels, px) for channels in (1, 2))
    yield Training("clnm", "one plane, by folds", name, 2 * folds, px, 2 * passes, one)
    yield Training("clnm", "both, by folds", name, 2 * folds, px, 2 * passes, two)
    yield Training("clnm", "leak shown", name, 2, px, 2 * n * epochs, two)


def ceus(settings: dict[str, Any]) -> Iterator[Training]:
    """Guang 2023: backbones, four models, a longer one, modality dropout, one without signal."""
    n, px, repeats = (
        split_plan("ceus", settings["size"]).n["training"],
        settings["image_size_px"],
        settings["repeats"],
    )

    def cost(modalities: tuple[str, ...], name: str) -> int:
        network = ModalityNetwork(modalities, backbone=name, weights="none", seed=0)
        return operations(network, (CEUS_CHANNELS, px, px))

    others = settings["compared_networks"].split(", ")
    for name in (name for name in others if not is_there(name, settings)):
        for modality in ("b_mode", "ceus"):
            passes = n * settings["compared_epochs"]
            yield Training("ceus", "compared", name, 1, px, passes, cost((modality,), name))
    name = settings["network"]
    own = n * settings["epochs"]
    for modality in ("b_mode", "ceus"):
        each = cost((modality,), name)
        yield Training("ceus", modality, name, repeats, px, repeats * own, each)
    both = cost(("b_mode", "ceus"), name)  # the reading costs nothing that counts
    for kind, count in (
        ("two", repeats),
        ("three", repeats),
        ("dropout", settings["dropout_repeats"]),
    ):
        yield Training("ceus", kind, name, count, px, count * own, both)
    for kind in ("longer_epochs", "null_epochs"):
        yield Training("ceus", kind, name, 1, px, n * settings[kind], both)


def dgfnet(settings: dict[str, Any]) -> Iterator[Training]:
    """G. Li: one modality with and without decoders, four fusions, one without signal, by folds."""
    folds, name, width = settings["folds"], settings["network"], settings["decoder_channels"]
    plan = split_plan("dgfnet", settings["size"]).loc["training"]
    n = kept(2 * min(plan.positive, plan.n - plan.positive), folds)  # thinned out to equal classes
    sizes = {"us": settings["us_size_px"], "ct": settings["ct_size_px"]}
    more = {"in_channels": 1, "weights": "none", "seed": 0, "decoder_channels": width}
    for segments, epochs in (
        (True, settings["segmentation_epochs"] + settings["joint_epochs"]),
        (False, settings["compared_epochs"]),
    ):
        kind = "with decoders" if segments else "plain"
        for modality, px in sizes.items():
            network = MultitaskNetwork(name, segments=segments, **more)
            each = operations(network, (1, px, px))
            passes = folds * n * epochs
            yield Training("dgfnet", f"{modality}, {kind}", name, folds, px, passes, each)
    shapes = [(1, px, px) for px in sizes.values()]
    for fusion, count, epochs in (
        ("concatenation", 3, settings["fusion_epochs"]),
        ("diverse_granularity", 1, settings["fusion_epochs"]),
        ("diverse_granularity", 1, settings["null_epochs"]),
    ):
        network = FusionNetwork(
            fusion, encoder=name, weights="none", seed=0, decoder_channels=width
        )
        each = operations(network, *shapes)
        passes = count * folds * n * epochs
        px = sizes["us"]
        yield Training("dgfnet", f"fusion, {fusion}", name, count * folds, px, passes, each)


CHAPTERS = {"llnm": llnm, "lvlnm": lvlnm, "clnm": clnm, "ceus": ceus, "dgfnet": dgfnet}


def count(chapter: str, profile: str = "paper") -> list[Training]:
    """All networks that a chapter trains in a profile."""
    return list(CHAPTERS[chapter](PROFILES[chapter][profile]))


def measure() -> list[dict]:
    """One row a chapter."""
    rows = []
    for chapter in CHAPTERS:
        trainings = count(chapter)
        rows.append(
            {
                "chapter": chapter,
                "networks": sum(each.networks for each in trainings),
                "passes": int(sum(each.passes for each in trainings)),
                "operations": float(
                    sum(each.passes * each.operations_an_image for each in trainings)
                ),
            }
        )
    return rows
