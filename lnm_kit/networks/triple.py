"""B-mode image, contrast-enhanced frame and the reading of the neck, in one network."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError, one_of
from lnm_kit.networks.backbones import ImageNetwork, build_network

MODALITIES = ("b_mode", "ceus", "us_lnm")
"""B-mode image, contrast-enhanced frame, suspicious neck nodes on ultrasound (US-LNM)."""

CHANNELS = {"b_mode": slice(0, 3), "ceus": slice(3, 6), "us_lnm": slice(6, 7)}
"""Where each modality is in the packed images of `pack_modalities`."""

N_CHANNELS = 7

FLAG_GRAY = {False: 0, True: 255, None: 128}
"""Gray value of the flag's channel: negative, positive, not known."""


def pack_modalities(
    b_mode: np.ndarray, ceus: np.ndarray, us_lnm: Sequence[bool | None]
) -> np.ndarray:
    """Put the modalities of each case into the channels of one image, for an `ImageBank`.

    So one bank serves networks of any of the modalities, and `fit`, `predict` and `grad_cam` need
    to know nothing about modalities.

    Parameters
    ----------
    b_mode
        uint8 (N, H, W) or (N, H, W, 3); gray is repeated to three channels. An image that is
        missing is all zero.
    ceus
        uint8 (N, H, W, 3), in the colors of the scanner. A frame that is missing is all zero.
    us_lnm
        N flags; None where the neck was not read.

    Returns
    -------
    uint8 (N, 7, H, W): three channels, three channels, and the flag as one gray value.

    Raises
    ------
    InputError
        Other types or shapes; all are listed.

    Examples
    --------
    >>> image = np.full((2, 8, 8), 50, np.uint8)
    >>> pack_modalities(image, np.stack([image] * 3, axis=-1), [True, None])[:, 6, 0, 0].tolist()
    [255, 128]
    """
    problems = []
    color = np.repeat(b_mode[..., None], 3, axis=-1) if b_mode.ndim == 3 else b_mode
    for name, images in (("b_mode", color), ("ceus", ceus)):
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
            problems.append(
                f"{name} is {images.dtype} {images.shape}; allowed: uint8 (N, H, W, 3)"
                + (" or (N, H, W)" if name == "b_mode" else "")
            )
    if color.shape[:3] != ceus.shape[:3]:
        problems.append(f"b_mode is {b_mode.shape} and ceus {ceus.shape}; needed: the same N, H, W")
    if len(us_lnm) != len(b_mode):
        problems.append(f"{len(us_lnm)} flags for {len(b_mode)} images")
    if problems:
        raise InputError(f"modalities: {'. '.join(problems)}.")
    flag = np.array(
        [FLAG_GRAY[None if value is None else bool(value)] for value in us_lnm], np.uint8
    )
    plane = np.broadcast_to(flag[:, None, None, None], (*color.shape[:3], 1))
    return np.ascontiguousarray(np.concatenate([color, ceus, plane], axis=-1).transpose(0, 3, 1, 2))


def without_modality(packed: np.ndarray, modality: str) -> np.ndarray:
    """Copy of packed images, uint8 (N, 7, H, W), in which one modality is missing in all cases.

    Raises
    ------
    InputError
        An unknown modality.
    """
    one_of("modality", modality, MODALITIES)
    packed = packed.copy()
    packed[:, CHANNELS[modality]] = FLAG_GRAY[None] if modality == "us_lnm" else 0
    return packed


class ModalityNetwork(nn.Module):
    """Features of one to three modalities, end to end, and one fully connected unit.

    Parameters
    ----------
    modalities
        Which of `MODALITIES`; the network ignores the channels of the others.
    backbone
        Of each image branch: a name for `build_network`. Inputs of a ResNet-50 with all three
        modalities become 2,048 + 2,048 + 1 = 4,097 features.
    weights
        ``none``, ``imagenet`` or a file, for both branches.
    seed
        Of all initial weights; the global generator is left as it was.
    dropout
        Probability that a modality is hidden from the network in training, case by case. One of
        them always stays.
    missing
        What stands for the features of a modality that is hidden or missing. ``learned``:
        parameters. ``mean``: the running mean of its features over the training cases that had it.
    reading
        How the flag enters. ``plain``: as 0 or 1. ``balanced``: standardized over the training
        cases, times the square root of a branch's width, so that one number weighs as much as all
        features of an image together (block scaling); its first weight is 0. Both forms express
        the same functions; what differs is how fast an optimizer that moves all weights alike
        finds them.

    Raises
    ------
    InputError
        Unknown modalities, a backbone that cannot be built, or a probability out of [0, 1).

    Notes
    -----
    *Source*: Guang 2023, section "Development and validation of the CNN models" and figure 3.
    Modality dropout is not part of the paper, which names missing modalities as a limitation.
    The mean and SD of every channel are buffers, set from training cases by
    `set_normalization`, as the paper does with its own vectors.

    Examples
    --------
    >>> network = ModalityNetwork(backbone="resnet10t", weights="none", seed=0)
    >>> network.n_features, network(torch.rand(2, 7, 64, 64)).shape
    (1025, torch.Size([2]))
    """

    def __init__(
        self,
        modalities: Sequence[str] = MODALITIES,
        *,
        backbone: str,
        weights: str,
        seed: int,
        dropout: float = 0.0,
        missing: Literal["learned", "mean"] = "learned",
        reading: Literal["plain", "balanced"] = "plain",
    ) -> None:
        super().__init__()
        for name in modalities:
            one_of("modality", name, MODALITIES)
        if not modalities or len(set(modalities)) < len(modalities):
            raise InputError(f"modalities are {list(modalities)}; needed: one or more, each once.")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout is {dropout}; allowed: 0 up to, not including, 1.")
        one_of("missing", missing, ("learned", "mean"))
        one_of("reading", reading, ("plain", "balanced"))
        self.modalities = tuple(name for name in MODALITIES if name in modalities)
        self.dropout = dropout
        self.missing = missing
        self.reading = reading
        self.branches = nn.ModuleDict()
        widths = {}
        for place, name in enumerate(self.modalities):
            widths[name] = 1
            if name != "us_lnm":
                branch = build_network(backbone, in_channels=3, weights=weights, seed=seed + place)
                widths[name] = branch.n_features
                # features leave the branch, its own unit has no use
                del branch.head
                self.branches[name] = branch
        self.n_features = sum(widths.values())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + len(MODALITIES))
            self.head = nn.Linear(self.n_features, 1)
        if reading == "balanced" and "us_lnm" in self.modalities:
            # a random weight times the balance would be a strong opinion on the reading
            with torch.no_grad():
                self.head.weight[0, -1] = 0
        # flag = slope * (reading - center)
        self.register_buffer("flag_center", torch.zeros(()))
        self.register_buffer("flag_slope", torch.ones(()))
        stand_in = {name: torch.zeros(width) for name, width in widths.items()}
        self.learned = nn.ParameterDict(stand_in if missing == "learned" else {})
        if missing == "mean":
            for name, zeros in stand_in.items():
                self.register_buffer(f"mean_{name}", zeros)

    def set_normalization(self, mean: Tensor, sd: Tensor) -> None:
        """Store mean and SD per channel, float (7,), of the training cases.

        A plain flag keeps 0 and 1. `ImageBank.gray_statistics` gives them; missing images among its
        rows pull them to black.
        """
        for name, branch in self.branches.items():
            if isinstance(branch, ImageNetwork):
                branch.set_normalization(mean[CHANNELS[name]], sd[CHANNELS[name]])
        if self.reading == "balanced":
            place = CHANNELS["us_lnm"]
            width = max(self.n_features - 1, 1) / max(len(self.branches), 1)
            self.get_buffer("flag_center").copy_(mean[place][0])
            self.get_buffer("flag_slope").copy_(width**0.5 / sd[place][0])

    @property
    def flag_log_odds(self) -> float:
        """Change of the logit from a negative to a positive reading.

        Raises
        ------
        InputError
            A network without the reading.
        """
        if "us_lnm" not in self.modalities:
            raise InputError("this network has no reading of the neck.")
        return float(self.head.weight.detach()[0, -1] * self.get_buffer("flag_slope"))

    def present(self, images: Tensor) -> Tensor:
        """Which modalities packed images have, bool (N, M), in the order of ``modalities``.

        An image without any contrast is missing, and so is a flag that is neither 0 nor 1.
        """
        answers = []
        for name in self.modalities:
            channels = images[:, CHANNELS[name]]
            if name == "us_lnm":
                # brightness is varied in training by less than a quarter
                answers.append((channels.mean(dim=(1, 2, 3)) - 0.5).abs() > 0.25)
            else:
                span = channels.amax(dim=(1, 2, 3)) - channels.amin(dim=(1, 2, 3))
                answers.append(span > 1e-3)
        return torch.stack(answers, dim=1)

    def embed(self, images: Tensor, present: Tensor | None = None) -> Tensor:
        """Features, float (N, F), of packed images (N, 7, H, W) in [0, 1].

        Parameters
        ----------
        images
            As `pack_modalities` makes them.
        present
            Bool (N, M); by default what the images have. False hides a modality that is there.

        Raises
        ------
        InputError
            Other channels, or a mask of another shape.
        """
        if images.ndim != 4 or images.shape[1] != N_CHANNELS:
            raise InputError(f"images have shape {tuple(images.shape)}; allowed: (N, 7, H, W).")
        present = self.present(images) if present is None else present
        if present.shape != (len(images), len(self.modalities)):
            raise InputError(
                f"present has shape {tuple(present.shape)}; allowed: "
                f"{(len(images), len(self.modalities))}, for {', '.join(self.modalities)}."
            )
        shown = self._hide(present) if self.training and self.dropout > 0 else present
        parts = []
        for place, name in enumerate(self.modalities):
            features = self._features(name, images[:, CHANNELS[name]])
            if self.training and self.missing == "mean":
                self._follow(name, features, present[:, place])
            stand_in = (
                self.learned[name] if self.missing == "learned" else self.get_buffer(f"mean_{name}")
            )
            parts.append(torch.where(shown[:, place, None], features, stand_in.to(features.dtype)))
        return torch.cat(parts, dim=1)

    def forward(self, images: Tensor, present: Tensor | None = None) -> Tensor:
        """Logits, float32 (N,), of packed images (N, 7, H, W) in [0, 1]; see `embed`."""
        features = self.embed(images, present)
        # a bfloat16 logit has 8 bits of mantissa, which would tie the scores of many cases
        with torch.autocast(images.device.type, enabled=False):
            logits: Tensor = self.head(features.float())[:, 0]
        return logits

    def _features(self, name: str, channels: Tensor) -> Tensor:
        """Features (N, F') of one modality; of the flag, whatever its brightness in training."""
        if name == "us_lnm":
            flag = (channels.mean(dim=(1, 2, 3)) > 0.5).float()[:, None]
            return self.get_buffer("flag_slope") * (flag - self.get_buffer("flag_center"))
        branch = self.branches[name]
        if not isinstance(branch, ImageNetwork):
            raise TypeError(f"branch {name} is a {type(branch).__name__}")
        return branch.embed(channels)

    def _hide(self, present: Tensor) -> Tensor:
        """Hide modalities at random, and never the last one that a case has."""
        # drawn on the processor, so that a seed means the same on every device
        draw = torch.rand(present.shape).to(present.device)
        # the present modality with the highest number stays
        best = torch.where(present, draw, -1.0).argmax(dim=1, keepdim=True)
        stays = torch.zeros_like(present).scatter(1, best, True)
        return present & ((draw >= self.dropout) | stays)

    @torch.no_grad()
    def _follow(self, name: str, features: Tensor, present: Tensor) -> None:
        """Move the running mean of a modality's features by a tenth of the way."""
        if present.any():
            mean = self.get_buffer(f"mean_{name}")
            mean.lerp_(features[present].float().mean(dim=0), 0.1)
