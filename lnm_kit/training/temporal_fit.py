"""Training of a temporal head on the frame features of clips."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from lnm_kit.errors import InputError
from lnm_kit.networks.temporal import TemporalHead
from lnm_kit.training.fit import weighted_loss
from lnm_kit.training.history import History


@dataclass(frozen=True)
class ClipBank:
    """Frame features, times and labels of clips on one device; made by `ClipBank.of`.

    Parameters
    ----------
    frames
        float32 (N, T, F), padded to the longest clip.
    time_s
        float32 (N, T).
    present
        bool (N, T), False where it is padding.
    labels
        float32 (N,) of 0 and 1.
    case_ids
        N identifiers.
    """

    frames: Tensor
    time_s: Tensor
    present: Tensor
    labels: Tensor
    case_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        frames: Sequence[np.ndarray],
        time_s: Sequence[np.ndarray],
        labels: Sequence[int] | np.ndarray,
        case_ids: Sequence[str],
        device: torch.device | str = "cpu",
    ) -> "ClipBank":
        """Pad clips of any lengths.

        Parameters
        ----------
        frames
            For each clip, float (T, F).
        time_s
            For each clip, float (T,), in seconds after the injection.
        labels, case_ids
            One for each clip; a case has one clip.
        device
            Where training computes.

        Raises
        ------
        InputError
            Numbers or shapes that do not fit, values that are not finite, other labels, cases named
            twice; all are listed.

        Examples
        --------
        >>> clips = [np.ones((3, 2)), np.ones((5, 2))]
        >>> bank = ClipBank.of(clips, [np.arange(3.0), np.arange(5.0)], [0, 1], ["a", "b"])
        >>> bank.frames.shape, bank.present.sum(dim=1).tolist()
        (torch.Size([2, 5, 2]), [3, 5])
        """
        problems = []
        if not len(frames) == len(time_s) == len(labels) == len(case_ids) > 0:
            problems.append(
                f"{len(frames)} clips, {len(time_s)} times, {len(labels)} labels and "
                f"{len(case_ids)} cases; needed: as many of each, one or more"
            )
        widths = {clip.shape[-1] for clip in frames if clip.ndim == 2}
        for case, clip, times in zip(case_ids, frames, time_s, strict=False):
            if clip.ndim != 2 or len(clip) == 0 or times.shape != clip.shape[:1]:
                problems.append(f"{case}: features {clip.shape} and times {times.shape}")
            elif not (np.isfinite(clip).all() and np.isfinite(times).all()):
                problems.append(f"{case}: values that are not finite")
        if len(widths) > 1:
            problems.append(f"frames have {sorted(widths)} features; needed: the same number")
        if set(np.asarray(labels).tolist()) - {0, 1}:
            problems.append("labels other than 0 and 1")
        if len(set(case_ids)) < len(case_ids):
            problems.append("cases that are named twice")
        if problems:
            raise InputError(f"clips: {'. '.join(problems)}.")
        longest = max(len(clip) for clip in frames)
        padded = torch.zeros(len(frames), longest, widths.pop())
        times_s, present = torch.zeros(padded.shape[:2]), torch.zeros(padded.shape[:2]).bool()
        for row, (clip, times) in enumerate(zip(frames, time_s, strict=True)):
            padded[row, : len(clip)] = torch.from_numpy(np.asarray(clip, np.float32))
            times_s[row, : len(clip)] = torch.from_numpy(np.asarray(times, np.float32))
            present[row, : len(clip)] = True
        label = torch.from_numpy(np.asarray(labels, np.float32))
        parts = [part.to(device) for part in (padded, times_s, present, label)]
        return cls(parts[0], parts[1], parts[2], parts[3], tuple(case_ids))

    def rows(self, cases: Sequence[str]) -> list[int]:
        """Rows of some cases.

        Raises
        ------
        InputError
            Cases without a clip.
        """
        place = {case: row for row, case in enumerate(self.case_ids)}
        missing = [case for case in cases if case not in place]
        if missing:
            raise InputError(f"{len(missing)} cases have no clip: {', '.join(missing[:5])}.")
        return [place[case] for case in cases]


def fit_temporal(
    head: TemporalHead,
    bank: ClipBank,
    training_cases: Sequence[str],
    validation_cases: Sequence[str],
    *,
    epochs: int,
    learning_rate: float = 3e-3,
    batch_size: int = 32,
    weight_decay: float = 1e-2,
    keep_frames: float = 0.8,
    seed: int,
) -> History:
    """Train a temporal head in place on features that stay as they are.

    The loss is that of `fit`, with positives weighted by negatives / positives; AdamW, with a
    learning rate that falls to zero along half a cosine. The head's normalization is set from the
    training clips. In every step a clip shows a random part of its frames.

    Parameters
    ----------
    head
        Trained in place and moved to the device of `bank`.
    bank
        Clips of at least these cases.
    training_cases, validation_cases
        Disjoint; validation cases only fill the history.
    epochs, learning_rate, batch_size, weight_decay
        Of the training. The last, incomplete batch of an epoch is used, too.
    keep_frames
        Probability that a frame is shown in training; one frame is always shown.
    seed
        Of the order and of the frames. Initial weights come from the head.

    Returns
    -------
    One row an epoch; the last one is kept.

    Raises
    ------
    InputError
        Overlapping or unknown cases, one class only, or settings out of their range.
    FloatingPointError
        The loss is no longer finite.

    Examples
    --------
    >>> clips = list(np.random.default_rng(0).normal(size=(8, 5, 2)))
    >>> names = [f"case_{i}" for i in range(8)]
    >>> bank = ClipBank.of(clips, [np.arange(5.0)] * 8, [0, 1] * 4, names)
    >>> head = TemporalHead(2, seed=0)
    >>> fit_temporal(head, bank, names[:4], names[4:], epochs=2, seed=0).kept_epoch
    2
    """
    training, validation = bank.rows(training_cases), bank.rows(validation_cases)
    _check(bank, training, validation, epochs, batch_size, keep_frames)
    head.to(bank.frames.device)
    head.set_normalization(bank.frames[training], bank.present[training])
    labels = bank.labels[training]
    weight = (labels == 0).sum().float() / (labels == 1).sum().float()
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=weight_decay)
    rows = []
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        rate = learning_rate * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        own = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0])
        generator = torch.Generator().manual_seed(own)
        order = torch.randperm(len(training), generator=generator).tolist()
        total = 0.0
        for first in range(0, len(order), batch_size):
            part = [training[place] for place in order[first : first + batch_size]]
            present = _thinned(bank.present[part], keep_frames, generator)
            logits = head(bank.frames[part], bank.time_s[part], present)
            loss = weighted_loss(logits, bank.labels[part], weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part) / len(training)
        if not math.isfinite(total):
            raise FloatingPointError(
                f"the training loss became {total} in epoch {epoch}; try a lower learning rate"
            )
        score = _logits(head, bank, validation)
        label = bank.labels[validation]
        rows.append(
            {
                "learning_rate": rate,
                "training_loss": total,
                "validation_loss": float(weighted_loss(score, label, weight)),
                "validation_auc": float(roc_auc_score(label.cpu(), score.cpu())),
                "seconds": time.perf_counter() - start,
            }
        )
    return History.of(rows, len(rows))


def predict_clips(head: TemporalHead, bank: ClipBank, cases: Sequence[str]) -> np.ndarray:
    """Probability of the positive class of some cases, float32 (len(cases),).

    Raises
    ------
    InputError
        Cases without a clip.
    """
    return _logits(head, bank, bank.rows(cases)).sigmoid().cpu().numpy()


def _logits(head: TemporalHead, bank: ClipBank, rows: Sequence[int]) -> Tensor:
    part = list(rows)
    with torch.no_grad():
        return head(bank.frames[part], bank.time_s[part], bank.present[part])


def _thinned(present: Tensor, keep: float, generator: torch.Generator) -> Tensor:
    """Leave out frames at random, and never the last one of a clip."""
    draw = torch.rand(present.shape, generator=generator).to(present.device)
    best = torch.where(present, draw, -1.0).argmax(dim=1, keepdim=True)
    stays = torch.zeros_like(present).scatter(1, best, True)
    return present & ((draw >= 1 - keep) | stays)


def _check(
    bank: ClipBank,
    training: Sequence[int],
    validation: Sequence[int],
    epochs: int,
    batch_size: int,
    keep_frames: float,
) -> None:
    problems = []
    if set(training) & set(validation):
        problems.append(f"{len(set(training) & set(validation))} cases are in both parts")
    for name, rows in (("training", training), ("validation", validation)):
        found = bank.labels[list(rows)].int().tolist()
        if not 0 < sum(found) < len(found):
            problems.append(
                f"{name} has {sum(found)} positive and {len(found) - sum(found)} negative cases; "
                "needed: both"
            )
    if epochs < 1 or batch_size < 1 or not 0 < keep_frames <= 1:
        problems.append(
            f"epochs, batch_size and keep_frames are {epochs}, {batch_size} and {keep_frames}; "
            "allowed: 1 or more, 1 or more, above 0 up to 1"
        )
    if problems:
        raise InputError(f"training on clips: {'. '.join(problems)}.")
