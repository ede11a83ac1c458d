"""Integrated gradients: what each pixel of each modality added to the logit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from lnm_kit.errors import InputError

GRAY_LEVELS = 33


@dataclass(frozen=True)
class Attributions:
    """What every pixel added to the logit, from a baseline to the image.

    Parameters
    ----------
    pixels
        For each modality, float32 (N, C, H, W).
    baseline_logit
        Of the baseline.
    logits
        float64 (N,), of the images.
    """

    pixels: tuple[np.ndarray, ...]
    baseline_logit: float
    logits: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Sum of all attributions minus (logit - baseline logit), float64 (N,); 0 in theory."""
        total = sum(part.sum(axis=(1, 2, 3), dtype=np.float64) for part in self.pixels)
        return total - (self.logits - self.baseline_logit)

    def contributions(self, names: Sequence[str], labels: Sequence[int]) -> pd.DataFrame:
        """Contribution of each modality to the logit of each nodule.

        Parameters
        ----------
        names
            Of the modalities, such as ``us`` and ``ct``.
        labels
            0 or 1 for each nodule.

        Returns
        -------
        For each name: ``<name>_toward_label``, the sum of its attributions, its sign turned for
        negative nodules, so that what is above 0 speaks for the truth; and ``<name>_share``, the
        part of its absolute attributions in those of all modalities, from 0 to 1.

        Raises
        ------
        InputError
            Another number of names or labels.

        Notes
        -----
        *Source*: G. Li (DGFNet), section "Interpretability Analysis Methods" and figure 3, for the
        sums. The share is ours. A modality with more pixels has more noise to add up: compare
        shares between nodules rather than with one half.
        """
        if len(names) != len(self.pixels) or len(labels) != len(self.logits):
            raise InputError(
                f"{len(names)} names and {len(labels)} labels; needed: {len(self.pixels)} and "
                f"{len(self.logits)}."
            )
        sign = np.where(np.asarray(labels) == 1, 1.0, -1.0)
        sums = [part.sum(axis=(1, 2, 3), dtype=np.float64) for part in self.pixels]
        sizes = np.stack(
            [np.abs(part).sum(axis=(1, 2, 3), dtype=np.float64) for part in self.pixels]
        )
        total = sizes.sum(axis=0)
        # without any attribution, nothing tells the modalities apart
        shares = np.where(total > 0, sizes / np.where(total > 0, total, 1.0), 1 / len(names))
        return pd.DataFrame(
            {f"{name}_toward_label": sign * value for name, value in zip(names, sums, strict=True)}
            | {f"{name}_share": value for name, value in zip(names, shares, strict=True)}
        )


def half_probability_baseline(
    network: nn.Module, candidates: Sequence[Tensor], *, tolerance: float = 0.005
) -> tuple[Tensor, ...]:
    """Images for which the network answers with a probability of 0.5.

    The candidates are a path. Where the probability crosses 0.5 between two neighbors of it, their
    mixture is halved until it is close enough.

    Parameters
    ----------
    network
        As in `integrated_gradients`.
    candidates
        For each modality, float (K, C, H, W): K images along a path, such as `gray_candidates`, or
        the mean image of negative and that of positive training nodules (K = 2).
    tolerance
        Largest distance of the probability from 0.5.

    Returns
    -------
    For each modality, float (1, C, H, W).

    Raises
    ------
    InputError
        The probability is on one side of 0.5 at all candidates.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Interpretability Analysis Methods": "the baseline is manually
    specified, and we select a baseline where the predicted probability of our trained model is
    close to 0.5". Which images were tried is not printed.
    """
    with _evaluated(network):
        logits = _logits(network, candidates)
        above = logits > 0
        crossings = torch.nonzero(above[1:] != above[:-1])
        if not len(crossings):
            low, high = logits.min().sigmoid().item(), logits.max().sigmoid().item()
            raise InputError(
                f"no baseline: the probability runs from {low:.3f} to {high:.3f} along the "
                f"{len(logits)} candidates and never crosses 0.5. Give other candidates, such as "
                "the mean image of the negative and that of the positive training nodules."
            )
        first = int(crossings[0])
        ends = [(images[first], images[first + 1]) for images in candidates]
        starts_above = bool(above[first])
        low_share, high_share = 0.0, 1.0
        mixed: tuple[Tensor, ...] = ()
        for _ in range(60):
            share = (low_share + high_share) / 2
            mixed = tuple(((1 - share) * start + share * end)[None] for start, end in ends)
            logit = _logits(network, mixed)[0]
            if abs(logit.sigmoid().item() - 0.5) <= tolerance:
                break
            if bool(logit > 0) == starts_above:
                low_share = share
            else:
                high_share = share
    return mixed


def gray_candidates(images: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Constant images from black to white, of the shapes of some images, for all modalities alike.

    Examples
    --------
    >>> [part.shape for part in gray_candidates([torch.rand(5, 1, 8, 8), torch.rand(5, 1, 4, 4)])]
    [torch.Size([33, 1, 8, 8]), torch.Size([33, 1, 4, 4])]
    """
    levels = torch.linspace(0, 1, GRAY_LEVELS).view(-1, 1, 1, 1)
    return tuple(
        levels.to(part).expand(GRAY_LEVELS, *part.shape[1:]).contiguous() for part in images
    )


def integrated_gradients(
    network: nn.Module,
    images: Sequence[Tensor],
    baseline: Sequence[Tensor],
    *,
    n_steps: int = 64,
    at_once: int = 32,
) -> Attributions:
    """Attribute the difference of logits between images and a baseline to their pixels.

    With x the image, b the baseline and F the logit, pixel i gets
    ``(x_i - b_i)`` times the mean of dF/dx_i along the straight line from b to x. All attributions
    of a nodule, those of all modalities together, add up to F(x) - F(b).

    Parameters
    ----------
    network
        Gives one logit per image, by a ``predict_logits`` if it has one; computed in evaluation
        mode, then left in its mode. A prediction must not depend on the other images: a
        diverse-granularity fusion needs its reference nodules.
    images
        For each modality, float (N, C, H, W) in [0, 1].
    baseline
        For each modality, float (1, C, H, W); see `half_probability_baseline`.
    n_steps
        Points of the Gauss-Legendre rule along the line.
    at_once
        Images in one pass, which bounds the memory.

    Raises
    ------
    InputError
        Images and baselines that do not fit.

    Notes
    -----
    *Source*: Sundararajan et al., "Axiomatic attribution for deep networks", ICML 2017,
    equation 1, and its axiom of completeness, which ``gap`` measures. Networks with ReLU have
    kinks along the line: look at ``gap``, and take more steps where it is large.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    >>> answer = integrated_gradients(network, [torch.ones(1, 1, 2, 2)], [torch.zeros(1, 1, 2, 2)])
    >>> bool(abs(answer.gap[0]) < 1e-5)
    True
    """
    if len(images) != len(baseline) or any(
        part.shape[1:] != start.shape[1:] or len(start) != 1
        for part, start in zip(images, baseline, strict=False)
    ):
        raise InputError(
            f"images have shapes {[tuple(part.shape) for part in images]} and baselines "
            f"{[tuple(part.shape) for part in baseline]}; needed: one baseline (1, C, H, W) for "
            "each modality."
        )
    with _evaluated(network):
        method = IntegratedGradients(_predictor(network))
        parts: list[list[np.ndarray]] = [[] for _ in images]
        logits = []
        for chunk in zip(*(part.split(at_once) for part in images), strict=True):
            attributed = method.attribute(
                tuple(part.detach().clone() for part in chunk),
                baselines=tuple(baseline),
                n_steps=n_steps,
                internal_batch_size=at_once,
            )
            for own, part in zip(parts, attributed, strict=True):
                own.append(part.detach().float().cpu().numpy())
            logits.append(_logits(network, chunk))
        start = _logits(network, baseline)[0]
    return Attributions(
        tuple(np.concatenate(own) for own in parts),
        float(start),
        torch.cat(logits).double().cpu().numpy(),
    )


def _predictor(network: nn.Module) -> Callable[..., Tensor]:
    """From images to logits, by the short way where a network of several tasks has one."""
    return getattr(network, "predict_logits", network)


def _logits(network: nn.Module, images: Sequence[Tensor]) -> Tensor:
    with torch.no_grad():
        return _predictor(network)(*images)


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    """Put the network in evaluation mode inside of a with statement."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
