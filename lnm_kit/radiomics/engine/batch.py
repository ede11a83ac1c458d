"""Radiomic features of many regions, in threads, as a stream."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import joblib
import numpy as np

from lnm_kit.errors import InputError
from lnm_kit.radiomics.engine.binning import Binning
from lnm_kit.radiomics.engine.names import CLASSES
from lnm_kit.radiomics.engine.region import check_settings, features

if TYPE_CHECKING:  # it would load the readers of every image format
    from lnm_kit.regions.images import MaskedImage

Item = TypeVar("Item")


def features_of_many(
    items: Iterable[Item],
    read: "Callable[[Item], MaskedImage]",
    *,
    binning: Binning,
    image_types: tuple[str, ...],
    classes: tuple[str, ...] = CLASSES,
    sigmas_mm: tuple[float, ...] = (),
    keep_residue: bool = False,
    n_jobs: int = 1,
) -> Iterator[np.ndarray | InputError]:
    """Compute the features of many regions, one after the other, in the order of the items.

    Threads read and compute; the compiled parts run without Python's lock. Few items are held at a
    time, so memory does not grow with their number.

    Parameters
    ----------
    items
        What names the regions: paths, rows of a table, or the regions themselves.
    read
        Gives the region of an item; called in a thread. Without spacing it counts in pixels.
    binning, image_types, classes, sigmas_mm, keep_residue
        See :func:`lnm_kit.radiomics.engine.features`.
    n_jobs
        Threads; -1 for all cores. It does not change the result.

    Yields
    ------
    numpy.ndarray or InputError
        Features in the order of `feature_names`, or what is wrong with this item. Other errors end
        the stream.

    Raises
    ------
    InputError
        When the settings are out of range.

    Examples
    --------
    >>> from lnm_kit.radiomics.engine import BinCount
    >>> from lnm_kit.regions.images import MaskedImage
    >>> gray = np.arange(400).reshape(20, 20) % 53
    >>> regions = [MaskedImage(gray, gray > level, None) for level in (20, 99, 30)]
    >>> found = features_of_many(regions, lambda region: region, binning=BinCount(25),
    ...                          image_types=("Original",), classes=("ngtdm",))
    >>> [one.shape if isinstance(one, np.ndarray) else str(one) for one in found]
    [(5,), 'the mask marks no pixel', (5,)]
    """
    check_settings(image_types, classes, sigmas_mm)
    n_threads = joblib.cpu_count() if n_jobs == -1 else n_jobs
    if n_threads < 1:
        raise InputError(f"n_jobs is {n_jobs}; it must be 1 or more, or -1 for all cores.")

    def compute(item: Item) -> np.ndarray | InputError:
        try:
            region = read(item)
            return features(
                region.gray,
                region.mask,
                spacing_mm=region.spacing_mm or (1.0, 1.0),
                binning=binning,
                image_types=image_types,
                classes=classes,
                sigmas_mm=sigmas_mm,
                keep_residue=keep_residue,
            )
        except InputError as error:
            return error

    return map(compute, items) if n_threads == 1 else _in_threads(compute, items, n_threads)


def _in_threads(
    compute: Callable[[Item], np.ndarray | InputError], items: Iterable[Item], n_threads: int
) -> Iterator[np.ndarray | InputError]:
    waiting: deque[Future[np.ndarray | InputError]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(compute, item))
                if len(waiting) > 4 * n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
