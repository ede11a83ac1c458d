"""What the paper profile asks for is counted from what the chapters are given."""

import pytest
from torch import nn

from benchmarks import paper_profile
from benchmarks.paper_profile import Training, count, measure, operations
from lnm_kit.networks import build_network
from lnm_kit.runs.profiles import PROFILES
from lnm_kit.simulate.population import split_plan


def test_a_step_counts_forward_weights_and_inputs():
    first = nn.Conv2d(1, 4, 3, padding=1, bias=False)
    second = nn.Conv2d(4, 2, 3, padding=1, bias=False)
    multiplied = 2 * 9 * 8 * 8  # additions and multiplications of one channel of 8 x 8 px
    # nobody asks the first layer for the gradient of the image
    expected = multiplied * (1 * 4 * 2 + 4 * 2 * 3)
    assert operations(nn.Sequential(first, second), (1, 8, 8)) == expected


def test_a_resnet18_costs_what_is_printed_of_it():
    network = build_network("resnet18", in_channels=3, weights="none", seed=0)
    # 1.8 billion multiply-adds forward (He et al. 2016, table 1), three times that in training
    assert operations(network, (3, 224, 224)) == pytest.approx(3 * 2 * 1.8e9, rel=0.04)


@pytest.fixture
def one_operation(monkeypatch):
    """Let every backbone cost one operation, as building the large ones takes long."""
    monkeypatch.setattr(paper_profile, "of_one_image", lambda name, channels, size_px: 1)


@pytest.mark.usefixtures("one_operation")
def test_the_networks_of_folds_see_every_case_but_their_fold_in_every_epoch():
    plan = split_plan("llnm").n["training"]
    by_folds, *compared = count("llnm")
    assert by_folds.passes == 3 * (plan * 2 // 3) * 500
    longer = list(paper_profile.llnm(PROFILES["llnm"]["paper"] | {"epochs": 1000}))
    assert longer[0].passes == 2 * by_folds.passes
    assert [each.passes for each in compared] == [plan * 2 // 3 * 500] * 4


@pytest.mark.usefixtures("one_operation")
@pytest.mark.parametrize(
    ("chapter", "networks", "passes"),
    [
        ("llnm", 7, 484),
        ("lvlnm", 7, 470),
        ("clnm", 10, 720),
        ("ceus", 9, 600),
        ("dgfnet", 18, 440),
    ],
)
def test_the_count_is_what_the_chapters_trained(chapter, networks, passes):
    # seen once, by counting in the loops themselves while the chapters ran in this profile
    found = count(chapter, "smoke")
    assert sum(each.networks for each in found) == networks
    assert sum(each.passes for each in found) == pytest.approx(passes, rel=0.01)
    assert all(each.operations_an_image > 0 for each in found)


def test_a_row_adds_up_the_networks_of_a_chapter(monkeypatch):
    made = [Training("a", "", "", 2, 64, 10, 5), Training("a", "", "", 1, 64, 20, 7)]
    monkeypatch.setattr(paper_profile, "CHAPTERS", {"a": None})
    monkeypatch.setattr(paper_profile, "count", lambda chapter: made)
    assert measure() == [{"chapter": "a", "networks": 3, "passes": 30, "operations": 190.0}]
