import numpy as np
import pandas as pd
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.networks.temporal import TemporalHead
from lnm_kit.training.temporal_fit import ClipBank, _thinned, fit_temporal, predict_clips

NAMES = [f"case_{i:02d}" for i in range(60)]


def clips(signal=True, seed=0):
    """Curves of nodule and parenchyma; in positive cases the nodule washes out faster."""
    rng = np.random.default_rng(seed)
    frames, times, label = [], [], np.arange(60) % 2
    shown = label if signal else rng.permutation(label)
    for positive in shown:
        time_s = np.arange(0, rng.integers(50, 70), 4.0)
        fall = 20.0 if positive else 60.0
        nodule = np.where(time_s > 12, np.exp(-(time_s - 12) / fall), 0)
        curve = np.stack([nodule, np.where(time_s > 12, 0.8, 0)], axis=1)
        frames.append(curve + rng.normal(0, 0.05, curve.shape))
        times.append(time_s)
    return ClipBank.of(frames, times, label, NAMES)


def train(bank, seed=0, epochs=25, **settings):
    head = TemporalHead(2, width=16, seed=0)
    history = fit_temporal(head, bank, NAMES[:40], NAMES[40:], epochs=epochs, seed=seed, **settings)
    return head, history


def test_it_learns_a_wash_out():
    head, history = train(clips(), learning_rate=0.01)
    losses = history.epochs["training_loss"]
    assert losses.iloc[-1] < 0.5 * losses.iloc[0]
    assert history.epochs["validation_auc"].iloc[-1] > 0.9
    score = predict_clips(head, clips(), NAMES[40:])
    assert ((score > 0.5) == np.arange(60)[40:] % 2).mean() > 0.8


def test_it_finds_nothing_in_shuffled_labels():
    _, history = train(clips(signal=False))
    # the SD of a null AUC with 10 of each class is 0.13
    assert 0.2 < history.epochs["validation_auc"].iloc[-1] < 0.8


def test_the_seed_decides_and_the_global_generator_neither_matters_nor_moves():
    tables = []
    for seed, around in ((1, 0), (1, 5), (2, 0)):
        torch.manual_seed(around)
        before = torch.random.get_rng_state()
        tables.append(train(clips(), seed=seed, epochs=2)[1].epochs.drop(columns="seconds"))
        assert torch.equal(torch.random.get_rng_state(), before)
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    assert not tables[0].equals(tables[2])


def test_clips_are_padded_and_padding_does_not_matter():
    bank = clips()
    head, _ = train(bank, epochs=1)
    together = predict_clips(head, bank, NAMES)
    row = int(bank.present.sum(dim=1).argmin())
    n = int(bank.present[row].sum())
    assert n < bank.frames.shape[1]
    alone = head(bank.frames[row : row + 1, :n], bank.time_s[row : row + 1, :n]).sigmoid()
    assert alone.item() == pytest.approx(together[row], abs=1e-6)


def test_normalization_comes_from_frames_of_training_clips_alone():
    bank = clips()
    head, _ = train(bank, epochs=1)
    expected = bank.frames[:40][bank.present[:40]].mean(dim=0)
    torch.testing.assert_close(head.mean, expected)


def test_frames_are_left_out_with_their_probability_and_never_all():
    present = torch.arange(40).expand(500, 40) < 30
    shown = _thinned(present, 0.8, torch.Generator().manual_seed(0))
    assert not (shown & ~present).any()
    assert shown[:, :30].float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert _thinned(present, 1e-6, torch.Generator().manual_seed(0)).any(dim=1).all()
    assert torch.equal(_thinned(present, 1.0, torch.Generator()), present)


def test_what_is_wrong_is_listed():
    curve, time_s = np.ones((4, 2)), np.arange(4.0)
    with pytest.raises(
        InputError, match=r"b: features \(4, 2\) and times \(3,\)\. c: values that.*other than 0"
    ):
        ClipBank.of(
            [curve, curve, curve * np.nan], [time_s, time_s[:3], time_s], [0, 1, 2], ["a", "b", "c"]
        )
    with pytest.raises(InputError, match=r"2 clips, 1 times.*\[2, 3\] features.*named twice"):
        ClipBank.of([curve, np.ones((4, 3))], [time_s], [0, 1], ["a", "a"])
    bank = clips()
    with pytest.raises(InputError, match="1 cases have no clip: x"):
        predict_clips(TemporalHead(2, seed=0), bank, ["x"])
    head = TemporalHead(2, seed=0)
    with pytest.raises(InputError, match=r"1 cases are in both.*validation has 1 positive and 0"):
        fit_temporal(head, bank, NAMES[:2], NAMES[1:2], epochs=1, seed=0)
    with pytest.raises(InputError, match="keep_frames are 0, 32 and"):
        train(bank, epochs=0)
