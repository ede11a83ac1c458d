import numpy as np
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training import ImageBank

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 2, 9, 7), dtype=np.uint8)
CASES = ["b", "a", "b", "c", "d"]
LABELS = [1, 0, 1, 0, 1]


def bank():
    return ImageBank.of(IMAGES, LABELS, CASES)


def test_batches_are_the_images_in_unit_range_by_index():
    batch = bank().batch(torch.tensor([3, 0]))
    assert batch.dtype == torch.float32
    assert np.allclose(batch.numpy() * 255, IMAGES[[3, 0]], atol=1e-4)
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_rows_follow_the_order_of_the_cases_with_all_their_images():
    assert bank().rows(["c", "b"]).tolist() == [3, 0, 2]
    assert bank().cases == {"b": 1, "a": 0, "c": 0, "d": 1}


def test_gray_statistics_are_those_of_numpy_over_the_given_rows_only():
    mean, sd = bank().gray_statistics(torch.tensor([0, 2]))
    chosen = IMAGES[[0, 2]] / 255
    assert np.allclose(mean, chosen.mean((0, 2, 3)), atol=1e-6)
    assert np.allclose(sd, chosen.std((0, 2, 3)), atol=1e-6)


def test_constant_channel_is_only_centered():
    flat = ImageBank.of(np.full((2, 4, 4), 51, np.uint8), [0, 1], ["a", "b"])
    mean, sd = flat.gray_statistics(torch.tensor([0, 1]))
    assert mean.item() == pytest.approx(0.2)
    assert sd.item() == 1


def test_unknown_and_repeated_cases_are_refused():
    with pytest.raises(InputError, match=r"2 cases have no image in the bank: x, y. .* 4 cases"):
        bank().rows(["a", "x", "y"])
    with pytest.raises(InputError, match="1 cases are named twice: a"):
        bank().rows(["a", "b", "a"])


def test_all_problems_are_listed_together():
    with pytest.raises(InputError, match=r"float32.*2 images, 3 labels.*labels are 2.*two labels"):
        ImageBank.of(np.zeros((2, 4, 4), np.float32), [0, 1, 2], ["a", "a", "b"])
