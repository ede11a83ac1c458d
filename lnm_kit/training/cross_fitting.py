"""One network per fold: scores of cases that no network saw, and their mean for new cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from lightning_fabric import Fabric

from lnm_kit.cohort.folds import patient_folds
from lnm_kit.networks.backbones import ImageNetwork
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.cached_fit import fit_network
from lnm_kit.training.history import History
from lnm_kit.training.prediction import predict
from lnm_kit.training.settings import TrainingSettings
from lnm_kit.training.simultaneous import side_by_side


@dataclass(frozen=True)
class CrossFit:
    """Networks of all folds and the scores of the cases that each did not see.

    Parameters
    ----------
    networks
        One per fold.
    histories
        One per fold; the validation columns are of the fold's held-out cases.
    out_of_fold
        float32 (n,), a probability for each training case, in their order.
    fold_of_case
        int (n,), which fold held the case out.
    """

    networks: tuple[ImageNetwork, ...]
    histories: tuple[History, ...]
    out_of_fold: np.ndarray
    fold_of_case: np.ndarray

    def predict(self, bank: ImageBank, cases: Sequence[str], *, fabric: Fabric) -> np.ndarray:
        """Probability of cases that took no part in training: the mean over the networks.

        Returns
        -------
        numpy.ndarray
            float32 (len(cases),) in [0, 1].
        """
        scores = [predict(network, bank, cases, fabric=fabric) for network in self.networks]
        return np.stack(scores).mean(axis=0, dtype=np.float32)


def cross_fit(
    name: str,
    bank: ImageBank,
    training_cases: Sequence[str],
    patients: Sequence[str],
    settings: TrainingSettings,
    *,
    folds: int,
    weights: str,
    fabric: Fabric,
    seed: int,
    n_jobs: int = 1,
) -> CrossFit:
    """Train one network per fold, so that every training case has a score that did not see it.

    Cases outside of training are scored by the mean of the networks: what is later fitted on
    out-of-fold scores then meets scores of the same kind. A finished fold is cached by everything
    that it depends on; an interrupted one goes on from its checkpoint.

    Parameters
    ----------
    name, weights
        See :func:`lnm_kit.networks.build_network`.
    bank
        Images of at least the training cases.
    training_cases, patients
        Case and patient identifiers, both (n,); the cases of one patient stay in one fold.
    settings, fabric
        See :func:`lnm_kit.training.fit`.
    folds
        Number of folds and of networks.
    seed
        Of folds, initial weights, order and variation.
    n_jobs
        Processes that train folds at the same time; see :func:`lnm_kit.training.side_by_side`.

    Raises
    ------
    InputError
        From the folds (too few patients of a class), the weights, or the training.

    Notes
    -----
    *Source*: stacked generalization (Wolpert 1992): the second level is fitted on predictions of
    cases that the first level did not see.
    """
    label = np.array([bank.cases[case] for case in training_cases])
    cases = np.asarray(training_cases)
    out_of_fold = np.zeros(len(cases), np.float32)
    fold_of_case = np.zeros(len(cases), int)
    split = patient_folds(label, patients, folds=folds, seed=seed)
    trainings = [
        partial(
            fit_network,
            name,
            bank,
            cases[fitted].tolist(),
            cases[held_out].tolist(),
            settings,
            weights=weights,
            fabric=fabric,
            seed=seed + fold,
        )
        for fold, (fitted, held_out) in enumerate(split)
    ]
    passes = settings.epochs * sum(len(fitted) for fitted, _ in split)
    results = side_by_side(trainings, passes=passes, fabric=fabric, n_jobs=n_jobs)
    for fold, ((network, _), (_, held_out)) in enumerate(zip(results, split, strict=True)):
        out_of_fold[held_out] = predict(network, bank, cases[held_out].tolist(), fabric=fabric)
        fold_of_case[held_out] = fold
    networks, histories = zip(*results, strict=True)
    return CrossFit(networks, histories, out_of_fold, fold_of_case)
