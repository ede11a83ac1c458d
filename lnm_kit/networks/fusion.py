"""Ultrasound and CT in one network: two branches of several tasks, a fusion, one classifier."""

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn

from lnm_kit.networks.dgf import DiverseGranularityFusion, build_fusion
from lnm_kit.networks.multitask import (
    DECODER_CHANNELS,
    Branch,
    MultitaskOutput,
    build_classifier,
    classify,
)


class FusionNetwork(nn.Module):
    """A branch of several tasks per modality, whose features are fused and classified.

    Parameters
    ----------
    fusion
        ``concatenation``, ``sum``, ``product`` or ``diverse_granularity``.
    encoder
        Of both branches; see `MultitaskNetwork`.
    us_channels, ct_channels
        Channels of the images.
    weights
        ``none``, ``imagenet`` or a file, for both encoders.
    n_reference
        Nodules that the diverse-granularity fusion attends to in evaluation.
    seed
        Of all initial weights; the global generator is left as it was.
    hidden
        Width of the classifier's hidden layer.
    decoder_channels
        Channels of the decoders' first block.

    Raises
    ------
    InputError
        An unknown fusion or encoder, or weights that cannot be had.

    Notes
    -----
    *Source*: G. Li (DGFNet), figure 2 and section "Convolutional neural network architecture".

    Examples
    --------
    >>> network = FusionNetwork("sum", encoder="resnet10t", weights="none", seed=0)
    >>> answer = network(torch.rand(2, 1, 64, 64), torch.rand(2, 1, 48, 48))
    >>> answer.logit.shape, [maps.shape[-1] for maps in answer.segmentations]
    (torch.Size([2]), [64, 48])
    """

    def __init__(
        self,
        fusion: str,
        *,
        encoder: str,
        weights: str,
        seed: int,
        us_channels: int = 1,
        ct_channels: int = 1,
        n_reference: int = 29,
        hidden: int = 128,
        decoder_channels: int = DECODER_CHANNELS,
    ) -> None:
        super().__init__()
        self.us, self.ct = (
            Branch(
                encoder,
                in_channels=channels,
                weights=weights,
                seed=branch_seed,
                decoder_channels=decoder_channels,
            )
            for channels, branch_seed in ((us_channels, seed), (ct_channels, seed + 10))
        )
        self.fusion = build_fusion(
            fusion, n_features=self.us.n_features, n_reference=n_reference, seed=seed + 20
        )
        self.classifier = build_classifier(self.fusion.n_out, hidden=hidden, seed=seed + 21)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Ultrasound, CT."""
        return (self.us, self.ct)

    def forward(self, us: Tensor, ct: Tensor) -> MultitaskOutput:
        """Answer images in [0, 1]: `us` float (N, C, H, W), `ct` float (N, C', H', W')."""
        (f_us, mask_us), (f_ct, mask_ct) = self.us(us), self.ct(ct)
        logit = classify(self.classifier, self.fusion(f_us, f_ct))
        return MultitaskOutput(logit, (mask_us, mask_ct))

    def predict_logits(self, us: Tensor, ct: Tensor) -> Tensor:
        """Logits of metastasis, float32 (N,), without the decoders."""
        fused = self.fusion(self.us.embed(us), self.ct.embed(ct))
        return classify(self.classifier, fused)

    def set_reference(self, us: Tensor, ct: Tensor) -> None:
        """Take the nodules that a diverse-granularity fusion attends to in evaluation.

        Their features are computed in evaluation mode. Other fusions need none: nothing is done.

        Parameters
        ----------
        us, ct
            Images of `n_reference` training nodules, as in `forward`.

        Raises
        ------
        InputError
            Another number of nodules.
        """
        if not isinstance(self.fusion, DiverseGranularityFusion):
            return
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                features = self.us.embed(us), self.ct.embed(ct)
        finally:
            self.train(was_training)
        self.fusion.set_reference(*features)

    def classification_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that only the prediction of metastasis uses."""
        return chain(self.fusion.parameters(), self.classifier.parameters())
