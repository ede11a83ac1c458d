import math
from itertools import pairwise

import pytest

from lnm_kit.errors import InputError
from lnm_kit.training import TrainingSettings
from lnm_kit.training.fit import learning_rate


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("batch_size", 1),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("optimizer", "sgd"),
        ("weight_decay", -0.1),
        ("schedule", "linear"),
        ("decay_every_epochs", 0),
        ("decay_factor", 0),
        ("patience_epochs", -1),
        ("positive_weight", 0),
        ("positive_weight", math.inf),
        ("keep", "best_test_auc"),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=rf"training: {name} is .*; allowed: "):
        TrainingSettings(**{"epochs": 1, name: value})


def test_all_wrong_ones_are_listed_together():
    with pytest.raises(InputError, match=r"epochs is 0.*learning_rate is -1.*keep is 'best'"):
        TrainingSettings(epochs=0, learning_rate=-1, keep="best")


def test_step_schedule_is_the_papers():
    paper = TrainingSettings(epochs=500, learning_rate=0.003, schedule="step", optimizer="adam")
    rates = [learning_rate(paper, epoch) for epoch in (1, 100, 101, 200, 201)]
    assert rates == pytest.approx([3e-3, 3e-3, 3e-4, 3e-4, 3e-5])


def test_cosine_schedule_starts_at_the_rate_and_falls_all_the_way():
    settings = TrainingSettings(epochs=10, learning_rate=0.01, schedule="cosine")
    rates = [learning_rate(settings, epoch) for epoch in range(1, 11)]
    assert rates[0] == 0.01
    assert rates[5] == pytest.approx(0.005)
    assert all(later < earlier for earlier, later in pairwise(rates))
    assert 0 < rates[-1] < 0.0003


def test_plateau_schedule_drops_after_the_patience_and_counts_anew():
    settings = TrainingSettings(
        epochs=99, learning_rate=0.01, schedule="plateau", patience_epochs=2, decay_factor=0.1
    )
    losses = [0.7, 0.6, 0.61, 0.62, 0.63, 0.64, 0.5, 0.51, 0.52, 0.53]
    rates = [learning_rate(settings, done + 1, losses[:done]) for done in range(len(losses) + 1)]
    # the third epoch without a new lowest loss is one more than the patience
    assert rates == pytest.approx([0.01] * 5 + [0.001] * 5 + [0.0001])
