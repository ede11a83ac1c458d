"""Features of many regions: a stream in order, with the bad ones named."""

import itertools
import threading

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine import BinCount, features, features_of_many
from lnm_kit.regions.images import MaskedImage

ASKED = {"binning": BinCount(25), "image_types": ("Original", "Wavelet"), "classes": ("gldm",)}
MASK = np.hypot(*(np.mgrid[:30, :30] - 15)) < 11


def read(seed):
    if seed % 5 == 3:
        raise InputError(f"image {seed} is broken")
    gray = np.random.default_rng(seed).integers(0, 256, MASK.shape).astype(np.uint8)
    return MaskedImage(gray, MASK, None if seed % 2 else (0.2, 0.1))


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_good_regions_come_in_order_and_bad_ones_as_errors(n_jobs):
    found = list(features_of_many(range(12), read, n_jobs=n_jobs, **ASKED))
    for seed, one in enumerate(found):
        if seed % 5 == 3:
            assert isinstance(one, InputError)
            assert f"image {seed} is broken" in str(one)
        else:
            image = read(seed)
            alone = features(
                image.gray, image.mask, spacing_mm=image.spacing_mm or (1.0, 1.0), **ASKED
            )
            np.testing.assert_array_equal(one, alone)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_items_are_read_as_they_are_needed(n_jobs):
    """An endless cohort works: few items are held at a time."""
    seen = []
    endless = (seen.append(n) or 1 for n in itertools.count())
    stream = features_of_many(endless, read, n_jobs=n_jobs, **ASKED)
    assert len(list(itertools.islice(stream, 5))) == 5
    assert len(seen) < 20


def test_threads_read_too():
    readers = set()

    def note(seed):
        readers.add(threading.get_ident())
        return read(seed)

    list(features_of_many([0, 1, 2, 4] * 5, note, n_jobs=2, **ASKED))
    assert threading.get_ident() not in readers


def test_an_error_that_is_not_the_input_is_not_swallowed():
    def fail(_):
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        list(features_of_many([1], fail, n_jobs=2, **ASKED))


@pytest.mark.parametrize("n_jobs", [0, -2])
def test_settings_out_of_range_are_refused_at_once(n_jobs):
    with pytest.raises(InputError, match="n_jobs is"):
        features_of_many([1], read, n_jobs=n_jobs, **ASKED)
