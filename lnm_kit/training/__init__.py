"""Training on a device: images in one bank, variation in one step, a loop that resumes exactly."""

from lnm_kit.training.augmentation import NO_AUGMENTATION, Augmentation, augment
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.cached_fit import fit_network
from lnm_kit.training.cross_fitting import CrossFit, cross_fit
from lnm_kit.training.device import describe_device, open_fabric
from lnm_kit.training.fit import fit
from lnm_kit.training.history import History
from lnm_kit.training.prediction import predict
from lnm_kit.training.settings import TrainingSettings
from lnm_kit.training.simultaneous import side_by_side

__all__ = [
    "NO_AUGMENTATION",
    "Augmentation",
    "CrossFit",
    "History",
    "ImageBank",
    "TrainingSettings",
    "augment",
    "cross_fit",
    "describe_device",
    "fit",
    "fit_network",
    "open_fabric",
    "predict",
    "side_by_side",
]
