"""Trainings that cannot fill a processor alone, done at the same time."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from lightning_fabric import Fabric

from lnm_kit.cache import CACHE_VARIABLE, cache_root
from lnm_kit.progress import RUN_FOLDER_VARIABLE, track
from lnm_kit.training.train_once import is_trained

T = TypeVar("T")

WORTH_IT = 4000
"""Passes over an image below which starting processes costs more than it saves."""


def side_by_side(
    trainings: Sequence[Callable[[], T]], *, passes: int, fabric: Fabric, n_jobs: int
) -> list[T]:
    """Do several cached trainings, as many at a time as there are processes; give their results.

    On a processor a small network gains little from a second core, and loses much when something
    else runs on it, as the threads of every layer wait for the slowest one. Two trainings beside
    each other, a core each, do not wait. On a GPU, and for little work, they are done one by one.

    Parameters
    ----------
    trainings
        Calls of `fit_network` and its like, without arguments left (`functools.partial`): they
        keep their result in the cache, from which it is taken afterwards.
    passes
        Images that all of them look at together, counted again in every epoch.
    fabric
        The device.
    n_jobs
        Processes; -1 = one a core.

    Returns
    -------
    list
        What each call returns, in their order.

    Raises
    ------
    InputError
        From a training.

    Examples
    --------
    >>> from lnm_kit.training.device import open_fabric
    >>> side_by_side([lambda: "a", lambda: "b"], passes=2, fabric=open_fabric("cpu"), n_jobs=2)
    ['a', 'b']
    """
    if fabric.device.type == "cpu" and fabric.world_size == 1 and passes >= WORTH_IT:
        missing = [training for training in trainings if not is_trained(training)]
        processes = min(effective_n_jobs(n_jobs), len(missing))
        if processes > 1:
            # what is left over is trained here, on all cores, instead of on one while others idle
            _train_all(missing[: len(missing) // processes * processes], processes)
    return [training() for training in trainings]


def _train_all(trainings: Sequence[Callable[[], object]], processes: int) -> None:
    threads = max(1, cpu_count() // processes)
    alone = delayed(_train)
    done = Parallel(n_jobs=processes, batch_size=1, return_as="generator_unordered")(
        alone(training, threads, os.getpid(), str(cache_root().absolute()))
        for training in trainings
    )
    for _ in track(done, label="networks, side by side", total=len(trainings)):
        pass


def _train(training: Callable[[], object], threads: int, parent: int, cache: str) -> None:
    """Train in a process of its own; what it returns stays here, the cache holds the result."""
    if os.getpid() != parent:
        os.environ[CACHE_VARIABLE] = cache  # this process may have been started for another one
        os.environ.pop(RUN_FOLDER_VARIABLE, None)  # progress is told by the process that waits
        torch.set_num_threads(threads)
    over = threading.Event()
    if os.getppid() == parent:  # a worker of a cluster is nobody's child here, and goes on
        threading.Thread(target=_end_with, args=(parent, over), daemon=True).start()
    try:
        training()
    finally:
        over.set()


def _end_with(parent: int, over: threading.Event, every_s: float = 1.0) -> None:
    """End this process when the one that waits for it was killed; the last epoch is kept."""
    while not over.wait(every_s):
        if os.getppid() != parent:
            os._exit(1)
            return
