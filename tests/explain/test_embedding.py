import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from lnm_kit.errors import InputError
from lnm_kit.explain.embedding import embed_cases, tsne
from lnm_kit.networks import build_network
from lnm_kit.training import ImageBank, open_fabric
from lnm_kit.training.prediction import IMAGES_AT_ONCE, predict_logits


@pytest.fixture(scope="module")
def fabric():
    return open_fabric("cpu")


@pytest.fixture(scope="module")
def network():
    return build_network("resnet10t", in_channels=1, weights="none", seed=0)


def bank_of(images_per_case, seed=0):
    """Cases c0, c1, ... whose images do not stand together."""
    ids = [f"c{i}" for i, count in enumerate(images_per_case) for _ in range(count)]
    order = np.random.default_rng(seed).permutation(len(ids))
    images = np.random.default_rng(seed).integers(0, 255, (len(ids), 32, 32), dtype=np.uint8)
    return ImageBank.of(images, np.zeros(len(ids), int), [ids[i] for i in order])


def test_a_case_is_the_mean_over_its_images(network, fabric):
    bank = bank_of([1, 3, 2, 5])
    found = embed_cases(network, bank, ["c3", "c1"], fabric=fabric)
    assert (found.dtype, found.shape) == (np.float32, (2, 512))
    network.eval()
    with torch.no_grad(), fabric.autocast():
        for row, case in zip(found, ["c3", "c1"], strict=True):
            own = [at for at, owner in enumerate(bank.case_ids) if owner == case]
            each = network.embed(bank.batch(torch.tensor(own))).float().numpy()
            np.testing.assert_allclose(row, each.mean(axis=0), rtol=2e-2, atol=1e-2)


def test_the_head_on_the_embedding_is_the_networks_logit(network, fabric):
    bank = bank_of([1] * 6)
    cases = [f"c{i}" for i in (4, 0, 2)]
    features = torch.from_numpy(embed_cases(network, bank, cases, fabric=fabric))
    expected = predict_logits(network, bank, bank.rows(cases), fabric=fabric)
    with torch.no_grad():
        torch.testing.assert_close(network.head(features)[:, 0], expected, rtol=1e-4, atol=1e-4)


def test_more_images_than_fit_at_once_and_the_mode_of_the_network_is_left(network, fabric):
    bank = bank_of([2] * (IMAGES_AT_ONCE // 2 + 3))
    network.train()
    cases = list(bank.cases)
    found = embed_cases(network, bank, cases, fabric=fabric)
    assert network.training
    last = embed_cases(network, bank, cases[-1:], fabric=fabric)
    np.testing.assert_allclose(found[-1:], last, rtol=2e-2, atol=1e-2)


def test_unknown_or_no_cases_are_refused(network, fabric):
    with pytest.raises(InputError, match="1 cases have no image in the bank: x"):
        embed_cases(network, bank_of([1]), ["c0", "x"], fabric=fabric)
    with pytest.raises(InputError, match="cases is empty"):
        embed_cases(network, bank_of([1]), [], fabric=fabric)


def clusters(seed=0):
    """Three far clusters of 40 cases in 20 dimensions, of very different scales."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2], 40)
    return (6 * rng.normal(size=(3, 20))[group] + rng.normal(size=(120, 20))), group


def test_clusters_stay_together():
    features, group = clusters()
    places = tsne(features, seed=0, perplexity=15)
    assert (places.shape, places.dtype) == ((120, 2), np.float32)
    neighbors = NearestNeighbors(n_neighbors=6).fit(places).kneighbors(return_distance=False)
    assert (group[neighbors] == group[:, None]).all()
    assert trustworthiness(features, places, n_neighbors=10) > 0.85


def test_units_and_constant_features_do_not_matter():
    features, _ = clusters()
    scaled = np.hstack([features * np.geomspace(1e-3, 1e3, 20) + 7, np.full((120, 2), 0.1)])
    # rounding differs and gradient descent enlarges it, so neighbors are compared, not places
    one, other = (tsne(part, seed=0, perplexity=15) for part in (features, scaled))
    found = [
        NearestNeighbors(n_neighbors=12).fit(places).kneighbors(return_distance=False)
        for places in (one, other)
    ]
    shared = [len(set(a) & set(b)) / 12 for a, b in zip(*found, strict=True)]
    assert np.mean(shared) > 0.8


def test_same_seed_same_map():
    features, _ = clusters()
    np.testing.assert_array_equal(
        tsne(features, seed=3, perplexity=10), tsne(features, seed=3, perplexity=10)
    )


def test_one_varying_feature_can_be_placed():
    features = np.column_stack([np.arange(20.0), np.zeros(20)])
    assert np.isfinite(tsne(features, seed=0, perplexity=5)).all()


@pytest.mark.parametrize("perplexity", [0.5, 13.01, float("nan")])
def test_a_perplexity_that_does_not_suit_the_number_of_cases_is_refused(perplexity):
    with pytest.raises(InputError, match=r"with 40 cases; allowed: 1 to \(n - 1\) / 3 = 13"):
        tsne(np.random.default_rng(0).normal(size=(40, 3)), seed=0, perplexity=perplexity)


def test_bad_features_are_refused():
    with pytest.raises(InputError, match=r"shape \(40,\)"):
        tsne(np.zeros(40), seed=0, perplexity=5)
    with pytest.raises(InputError, match="all finite"):
        tsne(np.full((40, 2), np.nan), seed=0, perplexity=5)
    with pytest.raises(InputError, match="all 2 features are constant"):
        tsne(np.full((40, 2), 0.1), seed=0, perplexity=5)
