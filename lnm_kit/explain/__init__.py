"""Where in an image a network looked."""

from lnm_kit.explain.grad_cam import grad_cam

__all__ = ["grad_cam"]
