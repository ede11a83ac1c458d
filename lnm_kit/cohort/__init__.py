"""The folder contract: what a cohort is, its checks, its image readers, and public data sets."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
