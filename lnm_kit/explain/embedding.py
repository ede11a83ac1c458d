"""What a network makes of cases: its deep features, and a map of them in two dimensions."""

from collections.abc import Sequence

import numpy as np
import torch
from lightning_fabric import Fabric
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from lnm_kit.errors import InputError
from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.prediction import IMAGES_AT_ONCE

MOST_COMPONENTS = 50
"""Principal components that t-SNE is given, as van der Maaten and Hinton did."""


def embed_cases(
    network: ImageNetwork, bank: ImageBank, cases: Sequence[str], *, fabric: Fabric
) -> np.ndarray:
    """Deep features of each case: what the network's last linear unit sees, mean over its images.

    Parameters
    ----------
    network
        Computed in evaluation mode, then left in the mode it was in.
    bank
        Holds the images.
    cases
        Which cases, in the order of the result.

    Returns
    -------
    float32 (len(cases), F).

    Raises
    ------
    InputError
        No case, or one that the bank does not hold.

    Examples
    --------
    >>> from lnm_kit.networks import build_network
    >>> network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    >>> bank = ImageBank.of(np.zeros((3, 32, 32), np.uint8), [0, 0, 1], ["a", "a", "b"])
    >>> fabric = Fabric(accelerator="cpu", devices=1)
    >>> embed_cases(network, bank, ["a", "b"], fabric=fabric).shape
    (2, 512)
    """
    if not len(cases):
        raise InputError("cases is empty; name at least one case of the bank.")
    rows = bank.rows(cases)
    fabric.to_device(network)
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad(), fabric.autocast():
            parts = [network.embed(bank.batch(part)).float() for part in rows.split(IMAGES_AT_ONCE)]
    finally:
        network.train(was_training)
    features = torch.cat(parts).double().cpu().numpy()
    number = {case: index for index, case in enumerate(cases)}
    owner = np.array([number[bank.case_ids[row]] for row in rows.tolist()])
    total = np.zeros((len(cases), features.shape[1]))
    np.add.at(total, owner, features)
    return (total / np.bincount(owner, minlength=len(cases))[:, None]).astype(np.float32)


def tsne(features: np.ndarray, *, seed: int, perplexity: float = 30.0) -> np.ndarray:
    """Place cases in two dimensions so that neighbors stay neighbors (t-SNE).

    Features are standardized (constant ones dropped) and reduced to at most 50 principal
    components. Distances between clusters, their sizes, and the axes mean nothing; a map of
    several splits shows them together only if they were placed together.

    Parameters
    ----------
    features
        (n, F), finite.
    seed
        Of t-SNE; the first two principal components are its start.
    perplexity
        Effective number of neighbors; at least 1 and at most (n - 1) / 3.

    Returns
    -------
    float32 (n, 2).

    Raises
    ------
    InputError
        When the features are not two-dimensional, not finite or all constant, or the perplexity
        does not suit n.

    Notes
    -----
    *Source*: van der Maaten and Hinton, J Mach Learn Res 2008;9:2579-2605; Feng 2025, section
    2.8 and Fig. 3e, f (settings not printed); computed by scikit-learn. As t-SNE looks at three
    times the perplexity in neighbors, more than (n - 1) / 3 has no meaning.

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(40, 6))
    >>> tsne(features, seed=0, perplexity=10).shape
    (40, 2)
    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise InputError(f"features have shape {values.shape}; needed: (n, F), all finite.")
    largest = (len(values) - 1) / 3
    if not 1 <= perplexity <= largest:
        raise InputError(
            f"perplexity is {perplexity:g} with {len(values)} cases; allowed: 1 to (n - 1) / 3 = "
            f"{largest:.4g}. Give a smaller perplexity or more cases."
        )
    spread = values.std(axis=0)
    # A constant feature has the spread of its rounding errors.
    varying = spread > 1e-9 * np.abs(values).max(axis=0)
    if not varying.any():
        raise InputError(f"all {values.shape[1]} features are constant; there is nothing to place.")
    standard = (values[:, varying] - values[:, varying].mean(axis=0)) / spread[varying]
    components = min(MOST_COMPONENTS, *standard.shape)
    reduced = PCA(components, svd_solver="full").fit_transform(standard)
    start = "pca" if components >= 2 else "random"
    model = TSNE(perplexity=perplexity, init=start, random_state=seed, n_jobs=1)
    return model.fit_transform(reduced).astype(np.float32)
