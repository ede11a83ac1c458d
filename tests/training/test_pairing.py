from collections import Counter

import numpy as np
import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training.pairing import ModalityImages, NoduleBank, nodule_folds, undersample


def modality(counts, side=4, seed=0):
    """So many images of each nodule; the first pixel of an image is its row."""
    ids = [nodule for nodule, n in counts.items() for _ in range(n)]
    images = np.zeros((len(ids), side, side), np.uint8)
    images[:, 0, 0] = range(len(ids))
    targets = np.zeros((len(ids), 2, side, side), bool)
    targets[:, 0, 1, 1] = True
    area = np.random.default_rng(seed).permutation(len(ids)) + 1.0
    return ModalityImages.of(images, targets, ids, area)


COUNTS = {"us": {"a": 3, "b": 1, "c": 2}, "ct": {"c": 4, "a": 2, "b": 5}}


def small_bank():
    return NoduleBank(
        {name: modality(counts) for name, counts in COUNTS.items()},
        {"a": 0, "b": 1, "c": 0},
        {"a": "p", "b": "q", "c": "p"},
    )


def test_random_pairs_show_the_nodule_asked_for_and_every_pair_in_time():
    bank = small_bank()
    generator = torch.Generator().manual_seed(0)
    seen = Counter()
    n = 3000
    for _ in range(n):
        us, ct = bank.random_rows(["c", "a"], generator)
        for images, rows in zip(bank.modalities.values(), (us, ct), strict=True):
            assert [images.nodule_ids[row] for row in rows] == ["c", "a"]
        seen[int(us[1]), int(ct[1])] += 1
    # 3 ultrasound and 2 CT images of nodule a: six pairs, alike in number
    assert len(seen) == 6
    spread = 5 * (n / 6 * 5 / 6) ** 0.5
    assert all(abs(count - n / 6) < spread for count in seen.values())


def test_the_same_seed_draws_the_same_pairs():
    bank = small_bank()
    draws = [
        [
            row.tolist()
            for row in bank.random_rows(["a", "b", "c"], torch.Generator().manual_seed(seed))
        ]
        for seed in (3, 3, 4)
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_the_largest_of_each_nodule_is_taken_for_evaluation():
    bank = small_bank()
    for images, rows in zip(bank.modalities.values(), bank.largest_rows(["b", "c"]), strict=True):
        for nodule, row in zip(["b", "c"], rows.tolist(), strict=True):
            own = [i for i, name in enumerate(images.nodule_ids) if name == nodule]
            assert row == max(own, key=lambda i: images.area[i])


def test_a_batch_is_scaled_and_in_order():
    images = small_bank().modalities["ct"]
    batch, targets = images.batch(torch.tensor([5, 2]))
    assert (batch[:, 0, 0, 0] * 255).round().tolist() == [5, 2]
    assert batch.dtype == targets.dtype == torch.float32
    assert targets.sum().item() == 2


def test_undersampling_keeps_all_of_the_rarer_class_and_the_order():
    labels = {f"n{i:02d}": int(i % 4 == 0) for i in range(40)}
    kept = [
        undersample(list(labels), labels, generator=np.random.default_rng(s)) for s in (0, 0, 1)
    ]
    for nodules in kept:
        assert Counter(labels[nodule] for nodule in nodules) == {0: 10, 1: 10}
        assert nodules == sorted(nodules)
        assert {nodule for nodule, label in labels.items() if label} <= set(nodules)
    assert kept[0] == kept[1] != kept[2]
    with pytest.raises(InputError, match="found 0 positive and 2 negative"):
        undersample(["a", "b"], {"a": 0, "b": 0}, generator=np.random.default_rng(0))


def test_folds_keep_patients_together_and_are_balanced_in_training_only():
    n = 60
    counts = {f"n{i}": 1 for i in range(n)}
    labels = {f"n{i}": int(i // 2 % 3 == 0) for i in range(n)}
    patients = {f"n{i}": f"p{i // 2}" for i in range(n)}
    bank = NoduleBank({"us": modality(counts)}, labels, patients)
    split = nodule_folds(bank, folds=4, seed=0)
    held_out = [nodule for _, part in split for nodule in part]
    assert sorted(held_out) == sorted(labels)
    for training, part in split:
        assert not {patients[x] for x in training} & {patients[x] for x in part}
        balance = Counter(labels[nodule] for nodule in training)
        assert balance[0] == balance[1] == sum(labels.values()) - sum(labels[x] for x in part)
        assert sum(labels[x] for x in part) < len(part) / 2
    assert split == nodule_folds(bank, folds=4, seed=0)


def test_everything_that_does_not_fit_is_listed():
    with pytest.raises(
        InputError,
        match=r"1 nodules have no ct image: d\. .*1 nodules with ct images have no label: c\. "
        r"1 nodules have a label other than 0 and 1: d\. 1 nodules have no patient: d",
    ):
        NoduleBank(
            {"us": modality({"a": 1, "b": 1, "d": 1}), "ct": modality({"a": 1, "b": 1, "c": 1})},
            {"a": 0, "b": 1, "d": 2},
            {"a": "p", "b": "q"},
        )
    images = np.zeros((2, 4, 4))
    with pytest.raises(
        InputError, match=r"images are float64.*targets have shape.*2 images, 1 nodule.*areas are"
    ):
        ModalityImages.of(images, np.zeros((2, 1, 4, 4)), ["a"], [1.0, np.nan])
    with pytest.raises(InputError, match="values other than 0 and 1"):
        ModalityImages.of(
            images.astype(np.uint8), np.full((2, 2, 4, 4), 255), ["a", "b"], [1.0, 1.0]
        )
    with pytest.raises(InputError, match="no images or no nodules"):
        NoduleBank({}, {}, {})
