"""Fusion of ultrasound and CT features: concatenation, sum, product, diverse granularity."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError, one_of

FUSIONS = ("concatenation", "sum", "product", "diverse_granularity")
"""What `build_fusion` knows."""


def _even(n_in: int, n_out: int) -> nn.Linear:
    """Weights whose outputs are all the mean of the inputs, until they have learned better."""
    layer = nn.Linear(n_in, n_out, bias=False)
    nn.init.constant_(layer.weight, 1 / n_in)
    return layer


def _passing(n_in: int, n_out: int) -> nn.Linear:
    """Weights that pass their inputs on unchanged, until they have learned better."""
    layer = nn.Linear(n_in, n_out, bias=False)
    nn.init.eye_(layer.weight)
    return layer


class BasicFusion(nn.Module):
    """Concatenation, element-wise sum or element-wise product of two feature vectors.

    Parameters
    ----------
    operation
        Which of the three.
    n_features
        F, the width of each modality's features.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Basic multimodal fusion methods", and table 2.
    """

    def __init__(self, operation: str, *, n_features: int) -> None:
        super().__init__()
        self.operation = one_of("operation", operation, FUSIONS[:3])
        self.n_out = 2 * n_features if operation == "concatenation" else n_features

    def extra_repr(self) -> str:
        """Name the operation where the network is printed."""
        return self.operation

    def forward(self, us: Tensor, ct: Tensor) -> Tensor:
        """Fused features (N, 2 F) or (N, F) of `us` and `ct`, both float (N, F)."""
        if self.operation == "sum":
            return us + ct
        if self.operation == "product":
            return us * ct
        return torch.cat([us, ct], dim=1)


class DimensionAttention(nn.Module):
    """Attention of every ultrasound dimension to every CT dimension, nodule by nodule.

    Parameters
    ----------
    n_features
        F, the width of each modality's features.
    width
        d, the width of what the weights W turn them into.

    Notes
    -----
    *Source*: G. Li (DGFNet), equations 1 to 8. Where they are unclear:

    - The tokens. The text says that the attention "captures the interplay between various feature
      dimensions", so A has one row per ultrasound dimension and one column per CT dimension, and
      its entries before the softmax are the products of Q's and K's numbers: an outer product.
      A token of several numbers per dimension, by one W (1 x e) for all dimensions, would add
      nothing: its products are those of the features themselves times one number, which W's that
      are multiples of the identity give here, too.
    - d_k, "the dimension of K", is the number of its entries, d. With tokens of one number it
      could be 1; the learned W can take up the difference.
    - The axis of the softmax is not printed. As usual, rows of A sum to 1. In equation 7 A is
      transposed after the softmax, so the shares that a CT dimension receives do not.
    - Equation 3 prints Q with the index CT, where text and equation 5 have K: K is computed.
    - Equations 6 and 7 let the attention between the modalities weight the values of one modality
      alone. That is done as printed.
    """

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.query_us = nn.Linear(n_features, width, bias=False)
        self.value_us = _even(n_features, width)
        self.key_ct = nn.Linear(n_features, width, bias=False)
        self.value_ct = _even(n_features, width)

    def forward(self, us: Tensor, ct: Tensor) -> Tensor:
        """Fused features (N, 2 d) of `us` and `ct`, both float (N, F)."""
        query = self.query_us(us)  # equation 1: Q_US = f_US W_Q-US
        value_us = self.value_us(us)  # equation 2: V_US = f_US W_V-US
        key = self.key_ct(ct)  # equation 3: K_CT = f_CT W_K-CT
        value_ct = self.value_ct(ct)  # equation 4: V_CT = f_CT W_V-CT
        scores = query[:, :, None] * key[:, None, :] / math.sqrt(key.shape[1])
        attention = scores.softmax(dim=2)  # equation 5: A = softmax(Q_US K_CT^T / sqrt(d_k))
        # equation 6: f_US' = V_US + A V_US
        refined_us = value_us + (attention @ value_us[:, :, None])[:, :, 0]
        # equation 7: f_CT' = V_CT + A^T V_CT
        refined_ct = value_ct + (attention.transpose(1, 2) @ value_ct[:, :, None])[:, :, 0]
        return torch.cat([refined_us, refined_ct], dim=1)  # equation 8: f^D


class ModalityAttention(nn.Module):
    """Attention between the two modalities of one nodule.

    Parameters
    ----------
    n_features, width
        F and d, as in `DimensionAttention`.

    Notes
    -----
    *Source*: G. Li (DGFNet), equations 9 to 14. The modalities are the two tokens of a nodule.
    Equation 9 prints the index N where equation 10 uses M: it is read as M. Equation 21 multiplies
    f^M with features of 2 d numbers, so the two tokens are laid end to end, ultrasound first.
    """

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_features, width, bias=False)
        self.key = nn.Linear(n_features, width, bias=False)
        self.value = _passing(n_features, width)

    def forward(self, us: Tensor, ct: Tensor) -> Tensor:
        """Fused features (N, 2 d) of `us` and `ct`, both float (N, F)."""
        both = torch.stack([us, ct], dim=1)  # equation 9: along the modal axis, (N, 2, F)
        query = self.query(both)  # equation 10: Q = f W_Q
        key = self.key(both)  # equation 11: K = f W_K
        value = self.value(both)  # equation 12: V = f W_V
        scores = query @ key.transpose(1, 2) / math.sqrt(key.shape[2])
        attention = scores.softmax(dim=2)  # equation 13: A = softmax(Q K^T / sqrt(d_k)), (N, 2, 2)
        return (value + attention @ value).flatten(1)  # equation 14: f^M = V + A V


class NoduleAttention(nn.Module):
    """Attention of a nodule to itself and to other nodules.

    As printed, the other nodules are those that happen to be in the same batch. With a reference
    they are always the same ones, and a nodule's answer does not depend on its batch mates.

    Parameters
    ----------
    n_features, width
        F and d, as in `DimensionAttention`; the weights here act on 2 F and give 2 d.

    Notes
    -----
    *Source*: G. Li (DGFNet), equations 15 to 20.
    """

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(2 * n_features, 2 * width, bias=False)
        self.key = nn.Linear(2 * n_features, 2 * width, bias=False)
        self.value = _even(2 * n_features, 2 * width)

    def forward(self, us: Tensor, ct: Tensor, reference: Tensor | None = None) -> Tensor:
        """Fused features (N, 2 d) of `us` and `ct`, both float (N, F).

        Parameters
        ----------
        us, ct
            Features of the nodules.
        reference
            Float (R, 2 F), features of other nodules (`us` and `ct` end to end). Each nodule then
            attends to itself and to these R; without it, to all N of the batch.
        """
        both = torch.cat([us, ct], dim=1)  # equation 15: along the dimensional axis, (N, 2 F)
        query = self.query(both)  # equation 16: Q = f W_Q
        key = self.key(both)  # equation 17: K = f W_K
        value = self.value(both)  # equation 18: V = f W_V
        root = math.sqrt(key.shape[1])
        if reference is None:
            attention = (query @ key.T / root).softmax(dim=1)  # equation 19, (N, N)
            return value + attention @ value  # equation 20: f^N = V + A V
        # equations 17 to 20 with the rows of the reference in the place of the batch mates
        own = (query * key).sum(dim=1, keepdim=True)
        others = query @ self.key(reference).T
        attention = (torch.cat([own, others], dim=1) / root).softmax(dim=1)  # (N, 1 + R)
        return value + attention[:, :1] * value + attention[:, 1:] @ self.value(reference)


class DiverseGranularityFusion(nn.Module):
    """Product of dimension, modality and nodule attention, with a fixed reference for evaluation.

    While training, nodules attend to their batch, as printed. In evaluation mode they attend to a
    reference bank of training nodules that `set_reference` stored, because a prediction that
    depends on which other patients are in the batch is no prediction for a patient.

    Parameters
    ----------
    n_features
        F, the width of each modality's features; 512 of a ResNet-18 or -34.
    width
        d; the fused features have 2 d numbers. By default F, which gives 1,024 (see Notes).
    n_reference
        Nodules in the reference bank. 29 make an attention of 30 nodules, as many as the printed
        batch has.
    evaluate_with
        ``reference``; or ``batch``, as printed, to show what it does.

    Notes
    -----
    *Source*: G. Li (DGFNet), equations 1 to 21. Equation 8 doubles the width by concatenation,
    so that 512 features per modality give 1,024, while the classifier is printed with 512 inputs.
    Here the W are square and the classifier takes 1,024; ``width=256`` gives the other reading,
    in which V halves the width and the classifier is the printed one.

    The initial weights are not printed. Of usual random ones the three factors lie around zero and
    their product is tiny and of third degree. Here the values of modality attention start as the
    features themselves and those of the two others as the mean of all features, about alike in all
    nodules: the product starts as two sums of both modalities' features, and learns to weight them.

    Examples
    --------
    >>> fusion = DiverseGranularityFusion(n_features=8, n_reference=3)
    >>> fusion.set_reference(torch.rand(3, 8), torch.rand(3, 8))
    >>> fusion.eval()(torch.rand(5, 8), torch.rand(5, 8)).shape
    torch.Size([5, 16])
    """

    def __init__(
        self,
        n_features: int,
        *,
        width: int | None = None,
        n_reference: int = 29,
        evaluate_with: Literal["reference", "batch"] = "reference",
    ) -> None:
        super().__init__()
        if n_reference < 1:
            raise InputError(f"n_reference is {n_reference}; allowed: 1 or more.")
        one_of("evaluate_with", evaluate_with, ("reference", "batch"))
        width = n_features if width is None else width
        self.dimension = DimensionAttention(n_features, width)
        self.modality = ModalityAttention(n_features, width)
        self.nodule = NoduleAttention(n_features, width)
        self.n_out = 2 * width
        self.n_reference = n_reference
        self.evaluate_with = evaluate_with
        self.register_buffer("reference", torch.zeros(n_reference, 2 * n_features))
        self.register_buffer("has_reference", torch.zeros((), dtype=torch.bool))

    def set_reference(self, us: Tensor, ct: Tensor) -> None:
        """Store the features, both float (R, F), of R = `n_reference` training nodules.

        They are saved with the weights. Call it again whenever the encoders have changed.

        Raises
        ------
        InputError
            Another number of nodules.
        """
        if len(us) != self.n_reference or len(ct) != self.n_reference:
            raise InputError(
                f"the reference has {len(us)} and {len(ct)} nodules; needed: {self.n_reference}."
            )
        self.get_buffer("reference").copy_(torch.cat([us, ct], dim=1).detach())
        self.get_buffer("has_reference").fill_(True)

    def forward(self, us: Tensor, ct: Tensor) -> Tensor:
        """Fused features (N, 2 d) of `us` and `ct`, both float (N, F).

        Raises
        ------
        InputError
            In evaluation mode, when no reference was stored.
        """
        reference = None
        if not self.training and self.evaluate_with == "reference":
            if not self.get_buffer("has_reference"):
                raise InputError(
                    "the fusion has no reference nodules, so that a nodule's prediction would "
                    "depend on its batch. Call set_reference with training nodules first, or "
                    "choose evaluate_with='batch' to see the printed form."
                )
            reference = self.get_buffer("reference").to(us.dtype)
        refined = [self.dimension(us, ct), self.modality(us, ct), self.nodule(us, ct, reference)]
        return refined[0] * refined[1] * refined[2]  # equation 21: f_F


def build_fusion(
    name: str, *, n_features: int, n_reference: int = 29, seed: int
) -> BasicFusion | DiverseGranularityFusion:
    """Build a fusion by name; its ``n_out`` is the width of what it gives.

    Parameters
    ----------
    name
        One of `FUSIONS`.
    n_features
        F, the width of each modality's features.
    n_reference
        See `DiverseGranularityFusion`; the others have no reference.
    seed
        Of the initial weights; the global generator is left as it was.

    Raises
    ------
    InputError
        An unknown name.

    Examples
    --------
    >>> [build_fusion(name, n_features=512, seed=0).n_out for name in FUSIONS]
    [1024, 512, 512, 1024]
    """
    one_of("fusion", name, FUSIONS)
    if name != "diverse_granularity":
        return BasicFusion(name, n_features=n_features)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DiverseGranularityFusion(n_features, n_reference=n_reference)
