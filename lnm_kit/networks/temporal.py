"""A contrast-enhanced clip as a set of frames, each with its time."""

import math

import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError

PERIODS_S = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
"""Periods, in seconds, of the waves that a time is described by."""


def encode_time(time_s: Tensor) -> Tensor:
    """Sines and cosines of a time in seconds, float (..., 14), one pair for each of `PERIODS_S`.

    Examples
    --------
    >>> encode_time(torch.tensor([0.0, 2.0]))[:, :2].round().abs().tolist()  # period 4 s
    [[0.0, 1.0], [0.0, 1.0]]
    """
    turns = time_s.float()[..., None] / torch.tensor(PERIODS_S, device=time_s.device)
    angle = 2 * math.pi * turns
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class TemporalHead(nn.Module):
    """One logit of the features of any number of frames and their times.

    With x_t the features of frame t beside its encoded time, h_t = ReLU(W x_t + b) and
    a_t = softmax over t of U tanh(V x_t), the logit is linear in the sums of a_t h_t, one for each
    row of U. Frames have no order but their time: shuffled together with their times they give the
    same logit, and frames that are only padding take no part.

    Parameters
    ----------
    n_features
        F, of a frame, such as those of `ImageNetwork.embed` (2,048 of a ResNet-50), or of the mean
        gray values of nodule and parenchyma (2).
    width
        Of h.
    n_heads
        Rows of U: how many parts of the clip can be looked at apart.
    seed
        Of the initial weights; the global generator is left as it was.

    Raises
    ------
    InputError
        A width or a number that is not 1 or more.

    Notes
    -----
    *Source*: the attention is that of Ilse et al., "Attention-based deep multiple instance
    learning", ICML 2018, equation 8, with several heads and with times. Guang 2023 uses one frame
    and names the clip as future work.

    Examples
    --------
    >>> head = TemporalHead(8, seed=0)
    >>> head(torch.rand(2, 20, 8), torch.arange(20.0).repeat(2, 1)).shape
    torch.Size([2])
    """

    def __init__(self, n_features: int, *, width: int = 64, n_heads: int = 4, seed: int) -> None:
        super().__init__()
        if min(n_features, width, n_heads) < 1:
            raise InputError(
                f"n_features, width and n_heads are {n_features}, {width} and {n_heads}; allowed: "
                "1 or more."
            )
        self.n_features = n_features
        n_in = n_features + 2 * len(PERIODS_S)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.values = nn.Sequential(nn.Linear(n_in, width), nn.ReLU())
            self.scores = nn.Sequential(
                nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, n_heads, bias=False)
            )
            self.head = nn.Linear(n_heads * width, 1)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("sd", torch.ones(n_features))

    def set_normalization(self, frames: Tensor, present: Tensor | None = None) -> None:
        """Store the mean and SD of each feature over all frames, (N, T, F), of training clips."""
        flat = frames.flatten(0, 1) if present is None else frames[present]
        sd = flat.std(dim=0, correction=0)
        self.get_buffer("mean").copy_(flat.mean(dim=0))
        self.get_buffer("sd").copy_(torch.where(sd > 0, sd, 1.0))

    def attend(
        self, frames: Tensor, time_s: Tensor, present: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Features of clips and where they come from.

        Parameters
        ----------
        frames
            Float (N, T, F).
        time_s
            Float (N, T), in seconds after the injection.
        present
            Bool (N, T): frames that are there; all by default. The others are padding.

        Returns
        -------
        Features float (N, n_heads * width), and attention float (N, n_heads, T), which sums to 1
        over the frames.

        Raises
        ------
        InputError
            Other shapes, or a clip without a frame.
        """
        present = self._check(frames, time_s, present)
        standard = (frames - self.get_buffer("mean")) / self.get_buffer("sd")
        x = torch.cat([standard, encode_time(time_s).to(standard.dtype)], dim=2)
        # padding may hold anything, even what is not finite
        x = torch.where(present[:, :, None], x, 0.0)
        scores = self.scores(x).masked_fill(~present[:, :, None], -math.inf)
        attention = scores.softmax(dim=1).transpose(1, 2)
        return (attention @ self.values(x)).flatten(1), attention

    def forward(self, frames: Tensor, time_s: Tensor, present: Tensor | None = None) -> Tensor:
        """Logits, float (N,), of clips; see `attend`."""
        features, _ = self.attend(frames, time_s, present)
        return self.head(features)[:, 0]

    def _check(self, frames: Tensor, time_s: Tensor, present: Tensor | None) -> Tensor:
        shape = tuple(frames.shape)
        if len(shape) != 3 or shape[2] != self.n_features or tuple(time_s.shape) != shape[:2]:
            raise InputError(
                f"frames have shape {shape} and times {tuple(time_s.shape)}; allowed: "
                f"(N, T, {self.n_features}) and (N, T)."
            )
        if present is None:
            present = torch.ones(shape[:2], dtype=torch.bool, device=frames.device)
        if tuple(present.shape) != shape[:2] or not present.any(dim=1).all():
            raise InputError(
                f"present has shape {tuple(present.shape)}; allowed: {shape[:2]}, with a frame in "
                "every clip."
            )
        return present
