"""Why a model answers as it does: places in an image, deep features, shares of the inputs."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
