"""How a network is trained: every setting, with its range."""

import math
from dataclasses import dataclass, field
from typing import Literal

from lnm_kit.errors import InputError
from lnm_kit.training.augmentation import Augmentation


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one training, checked when they are made.

    Parameters
    ----------
    epochs
        Passes over the training images.
    batch_size
        Images a step, over all devices together.
    learning_rate
        Of the first epoch.
    optimizer
        ``adam``, or ``adamw`` (weight decay apart from the gradient).
    weight_decay
        Strength of the pull of the weights to zero.
    schedule
        ``step``: times `decay_factor` after every `decay_every_epochs`. ``cosine``: falls to zero
        along half a cosine over all epochs. ``plateau``: times `decay_factor` whenever the
        validation loss has not become lower for more than `patience_epochs`.
    decay_every_epochs, decay_factor
        Of the ``step`` schedule; the factor also of ``plateau``.
    patience_epochs
        Of the ``plateau`` schedule.
    positive_weight
        Weight of positive images in the loss; None for negatives / positives of the training cases.
    keep
        ``last``: the weights after the last epoch. ``best_validation_auc``: those of the epoch with
        the highest validation AUC, which makes that AUC optimistic.
    augmentation
        How training images are varied.

    Raises
    ------
    InputError
        Settings out of their range; all are listed.

    Notes
    -----
    *Source*: cross-entropy weighted by inverse class frequency (9.9 to 1), Adam, learning rate
    0.003 decaying every 100 of 500 epochs, batches of 32: Feng 2025, section 2.5. The factor of
    the decay is not printed; 0.1 is the usual one. "An adaptive drop of the learning rate" without
    any number: Guang 2023, section "Development and validation of the CNN models"; the patience
    of 10 epochs is PyTorch's.

    Examples
    --------
    >>> TrainingSettings(epochs=0, batch_size=1)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: training: epochs is 0; allowed: 1 or more. batch_size is 1; ...
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    optimizer: Literal["adam", "adamw"] = "adamw"
    weight_decay: float = 0.01
    schedule: Literal["step", "cosine", "plateau"] = "cosine"
    decay_every_epochs: int = 100
    decay_factor: float = 0.1
    patience_epochs: int = 10
    positive_weight: float | None = None
    keep: Literal["last", "best_validation_auc"] = "last"
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        weight = self.positive_weight
        ranges = {
            "epochs": (_whole(self.epochs, 1), "1 or more"),
            "batch_size": (_whole(self.batch_size, 2), "2 or more"),
            "learning_rate": (_within(self.learning_rate, 0, 1, open_low=True), "above 0, up to 1"),
            "optimizer": (self.optimizer in ("adam", "adamw"), "adam, adamw"),
            "weight_decay": (_within(self.weight_decay, 0, 1), "0 to 1"),
            "schedule": (
                self.schedule in ("step", "cosine", "plateau"),
                "step, cosine, plateau",
            ),
            "decay_every_epochs": (_whole(self.decay_every_epochs, 1), "1 or more"),
            "decay_factor": (_within(self.decay_factor, 0, 1, open_low=True), "above 0, up to 1"),
            "patience_epochs": (_whole(self.patience_epochs, 0), "0 or more"),
            "positive_weight": (
                weight is None or _within(weight, 0, math.inf, open_low=True),
                "above 0, or None for negatives / positives",
            ),
            "keep": (self.keep in ("last", "best_validation_auc"), "last, best_validation_auc"),
        }
        problems = [
            f"{name} is {getattr(self, name)!r}; allowed: {allowed}"
            for name, (valid, allowed) in ranges.items()
            if not valid
        ]
        if problems:
            raise InputError(f"training: {'. '.join(problems)}.")


def _whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _within(value: object, low: float, high: float, *, open_low: bool = False) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return False
    return low <= value <= high and not (open_low and value == low)
