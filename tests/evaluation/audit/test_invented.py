import numpy as np

from lnm_kit.evaluation.audit import CANNOT, audit, make_paper
from lnm_kit.evaluation.audit.invented import invented_paper, with_slip


def flagged(values):
    return bool((audit(make_paper(values))["verdict"] == CANNOT).any())


def test_consistent_papers_are_never_flagged():
    rng = np.random.default_rng(11)
    assert not any(flagged(invented_paper(rng)) for _ in range(30))


def test_most_slips_are_caught():
    rng = np.random.default_rng(12)
    caught = [flagged(with_slip(invented_paper(rng), rng)[0]) for _ in range(25)]
    assert np.mean(caught) > 0.75


def test_a_slip_changes_one_digit():
    rng = np.random.default_rng(13)
    paper = invented_paper(rng)
    slipped, column = with_slip(paper, rng, kinds=("npv",))
    pairs = [
        (one, other)
        for key in ("table_1", "table_2", "table_3")
        for row, changed in zip(paper[key]["rows"], slipped[key]["rows"], strict=True)
        for one, other in zip(row, changed, strict=True)
        if one != other
    ]
    assert column == "npv"
    assert len(pairs) == 1
    assert sum(a != b for a, b in zip(*pairs[0], strict=True)) == 1
