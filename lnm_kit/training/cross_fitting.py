"""One network per fold: scores of cases that no network saw, and their mean for new cases."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from lightning_fabric import Fabric
from safetensors.torch import load_file, save_file

from lnm_kit.cache import cache_root, cached
from lnm_kit.cohort.folds import patient_folds
from lnm_kit.networks.backbones import ImageNetwork, build_network
from lnm_kit.sources import code_digest
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.fit import fit
from lnm_kit.training.history import COLUMNS, History
from lnm_kit.training.prediction import predict
from lnm_kit.training.settings import TrainingSettings


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
) -> CrossFit:
    """Train one network per fold, so that every training case has a score that did not see it.

    Cases outside of training are scored by the mean of the networks: what is later fitted on
    out-of-fold scores then meets scores of the same kind. A finished fold is cached by everything
    that it depends on; an interrupted one goes on from its last epoch.

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
    networks, histories = [], []
    split = patient_folds(label, patients, folds=folds, seed=seed)
    for fold, (fitted, held_out) in enumerate(split):
        network = build_network(
            name, in_channels=bank.images.shape[1], weights=weights, seed=seed + fold
        )
        history = _fit_cached(
            network, bank, cases[fitted], cases[held_out], settings, fabric, seed + fold
        )
        out_of_fold[held_out] = predict(network, bank, cases[held_out].tolist(), fabric=fabric)
        fold_of_case[held_out] = fold
        networks.append(network)
        histories.append(history)
    return CrossFit(tuple(networks), tuple(histories), out_of_fold, fold_of_case)


def _fit_cached(
    network: ImageNetwork,
    bank: ImageBank,
    training: np.ndarray,
    validation: np.ndarray,
    settings: TrainingSettings,
    fabric: Fabric,
    seed: int,
) -> History:
    """Fit in place, or load what an earlier fit of the same things left in the cache."""
    code = [sys.modules[__name__]]
    inputs = {
        "start": _digest_of_state(network),
        "images": _digest_of_images(bank, [*training.tolist(), *validation.tolist()]),
        "labels": [bank.cases[case] for case in [*training.tolist(), *validation.tolist()]],
        "n_training": len(training),
        "settings": asdict(settings),
        "seed": seed,
        "device": fabric.device.type,
        "precision": fabric._precision.precision,
    }

    def compute(folder: Path) -> None:
        name = hashlib.sha256((json.dumps(inputs) + code_digest(code)).encode()).hexdigest()[:32]
        checkpoint = cache_root() / "unfinished-training" / f"{name}.ckpt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        history = fit(
            network,
            bank,
            training.tolist(),
            validation.tolist(),
            settings,
            fabric=fabric,
            seed=seed,
            checkpoint=checkpoint,
        )
        save_file(_contiguous_state(network), folder / "network.safetensors")
        history.epochs.to_parquet(folder / "history.parquet")
        (folder / "kept_epoch.json").write_text(json.dumps(history.kept_epoch))
        checkpoint.unlink(missing_ok=True)

    folder = cached("training", compute, inputs=inputs, code=code)
    network.load_state_dict(load_file(folder / "network.safetensors"))
    epochs = pd.read_parquet(folder / "history.parquet")[list(COLUMNS)]
    return History(epochs, json.loads((folder / "kept_epoch.json").read_text()))


def _contiguous_state(network: ImageNetwork) -> dict:
    # safetensors stores tensors row-major; channels-last weights are not
    return {key: value.detach().contiguous() for key, value in network.state_dict().items()}


def _digest_of_state(network: ImageNetwork) -> str:
    whole = hashlib.sha256()
    for key, value in sorted(_contiguous_state(network).items()):
        whole.update(key.encode())
        whole.update(value.cpu().numpy().tobytes())
    return whole.hexdigest()


def _digest_of_images(bank: ImageBank, cases: Sequence[str]) -> str:
    rows = bank.rows(cases)
    return hashlib.sha256(bank.images[rows].cpu().numpy().tobytes()).hexdigest()
