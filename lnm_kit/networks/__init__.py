"""Networks that answer with one logit per image, and where their weights come from."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
