"""How a network of several tasks is trained: every setting, with its range."""

from dataclasses import dataclass, field

from lnm_kit.errors import InputError
from lnm_kit.training.masked_augmentation import MaskedAugmentation


@dataclass(frozen=True)
class MultitaskSettings:
    """Settings of a training in two stages, checked when they are made.

    Parameters
    ----------
    segmentation_epochs
        Epochs in which only the segmentations are learned.
    joint_epochs
        Epochs after them, in which metastasis is learned, too.
    batch_size
        Nodules a step, over all devices together.
    learning_rate
        Of the first epoch; it falls to zero along half a cosine over all epochs of both stages.
    weight_decay
        Added to the gradient, as Adam does it.
    augmentation
        How training images are varied.

    Raises
    ------
    InputError
        Settings out of their range; all are listed.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Training Configuration". Whether the cosine begins anew in
    the second stage, and how the losses are weighted, is not printed: it does not, and they count
    alike.

    Examples
    --------
    >>> MultitaskSettings(batch_size=1)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: training: batch_size is 1; allowed: 2 or more.
    """

    segmentation_epochs: int = 100
    joint_epochs: int = 200
    batch_size: int = 30
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    augmentation: MaskedAugmentation = field(default_factory=MaskedAugmentation)

    def __post_init__(self) -> None:
        ranges = {
            "segmentation_epochs": (self.segmentation_epochs >= 0, "0 or more"),
            "joint_epochs": (self.joint_epochs >= 1, "1 or more"),
            "batch_size": (self.batch_size >= 2, "2 or more"),
            "learning_rate": (0 < self.learning_rate <= 1, "above 0, up to 1"),
            "weight_decay": (0 <= self.weight_decay <= 1, "0 to 1"),
        }
        problems = [
            f"{name} is {getattr(self, name)!r}; allowed: {allowed}"
            for name, (valid, allowed) in ranges.items()
            if not valid
        ]
        if problems:
            raise InputError(f"training: {'. '.join(problems)}.")

    @property
    def epochs(self) -> int:
        """Epochs of both stages."""
        return self.segmentation_epochs + self.joint_epochs
