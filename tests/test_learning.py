"""A network learns from simulated ultrasound what is there, and nothing where nothing is."""

import joblib
import numpy as np
import pytest

from lnm_kit.evaluation import auc
from lnm_kit.networks import build_network
from lnm_kit.regions import crop_region
from lnm_kit.simulate import SCANNERS, describe_nodule, render, simulate_population
from lnm_kit.training import ImageBank, TrainingSettings, fit, open_fabric, predict

N_PER_CLASS, N_TRAINING = 120, 160
SETTINGS = TrainingSettings(epochs=8, batch_size=16, learning_rate=2e-3)


def crop_of(case: dict, aggressiveness: float, seed: int) -> np.ndarray:
    nodule = describe_nodule(case, aggressiveness, seed=seed)
    frame = render(nodule, SCANNERS["center_1"], plane="transverse", seed=seed)
    return crop_region(frame.pixels, frame.mask, size_px=64)[0]


@pytest.fixture(scope="module")
def crops_and_labels() -> tuple[np.ndarray, np.ndarray]:
    """As many positive as negative cases, in random order."""
    cases, truth = simulate_population("llnm", seed=5, signal=1.0)
    balanced = cases.groupby("label").sample(N_PER_CLASS, random_state=0)
    chosen = balanced.sample(frac=1, random_state=0)
    crops = joblib.Parallel(n_jobs=2, prefer="threads")(
        joblib.delayed(crop_of)(case.to_dict(), truth.aggressiveness[case_id], number)
        for number, (case_id, case) in enumerate(chosen.iterrows())
    )
    return np.stack(crops), chosen.label.to_numpy()


def train_and_judge(crops: np.ndarray, label: np.ndarray):
    names = [f"case {number}" for number in range(len(label))]
    bank, fabric = ImageBank.of(crops, label, names), open_fabric("cpu")
    network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    training, held_out = names[:N_TRAINING], names[N_TRAINING:]
    history = fit(network, bank, training, held_out, SETTINGS, fabric=fabric, seed=0).epochs
    score = predict(network, bank, held_out, fabric=fabric)
    return history.training_loss, auc(label[N_TRAINING:], score)


def test_loss_falls_and_held_out_auc_is_above_chance_with_signal(crops_and_labels):
    loss, held_out = train_and_judge(*crops_and_labels)
    assert loss.iloc[-1] < 0.85 * loss.iloc[0]
    assert held_out.lo > 0.5


def test_held_out_auc_is_not_above_chance_without_signal(crops_and_labels):
    crops, label = crops_and_labels
    shuffled = np.random.default_rng(1).permutation(label)
    _, held_out = train_and_judge(crops, shuffled)
    assert held_out.lo <= 0.5 <= held_out.hi
