"""Medians, ratios and turns, on a clock that the test sets."""

import pytest

from benchmarks.timing import alternate, missing, row


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_calls_take_turns_and_the_first_round_does_not_count():
    clock, order = Clock(), []
    costs = {"fast": iter([50, 1, 2, 3]), "slow": iter([90, 10, 30, 20])}

    def spend(name):
        order.append(name)
        clock.now += next(costs[name])

    calls = {name: lambda name=name: spend(name) for name in costs}
    taken = alternate(calls, rounds=3, clock=clock)
    assert taken == {"fast": [1, 2, 3], "slow": [10, 30, 20]}
    assert order == ["fast", "slow"] * 4


def test_a_shorter_warm_up_takes_the_place_of_the_first_round():
    said = []
    calls = {"job": lambda: said.append("all")}
    taken = alternate(calls, rounds=2, warm_up={"job": lambda: said.append("one")})
    assert said == ["one", "all", "all"]
    assert len(taken["job"]) == 2


def test_the_ratio_is_the_median_of_the_rounds_own():
    found = row("job", "own", [1.0, 2.0, 4.0], peer="other", peer_seconds=[10.0, 10.0, 80.0])
    assert (found["seconds"], found["peer_seconds"]) == (2.0, 10.0)
    assert (found["ratio_low"], found["ratio"], found["ratio_high"]) == (5.0, 10.0, 20.0)
    assert found["rounds"] == 3


def test_without_a_peer_there_is_no_ratio():
    assert "ratio" not in row("job", "own", [1.0])
    assert missing("job", "other")["note"] == "not installed"


def test_rounds_must_match():
    with pytest.raises(ValueError, match="shorter"):
        row("job", "own", [1.0, 2.0], peer="other", peer_seconds=[1.0])
