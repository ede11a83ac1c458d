from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.evaluation.audit.counts import has_count, nearest_counts, share_of, total_meets
from lnm_kit.evaluation.audit.printed_range import Range, printed_range


@given(st.integers(1, 2000), st.data())
def test_a_true_percentage_is_never_flagged(total, data):
    count = data.draw(st.integers(0, total))
    printed = printed_range(f"{100 * count / total:.1f}%")
    assert share_of(count, total, printed)
    assert has_count(total, printed)
    assert count in nearest_counts(total, printed) or total > 500


@given(st.integers(1, 300), st.floats(0, 1))
def test_no_count_is_found_where_a_loop_finds_none(total, share):
    printed = Range(share - 0.0005, share + 0.0005)
    assert has_count(total, printed) == any(printed.holds(k / total) for k in range(total + 1))


def test_shares_of_no_count_are_seen():
    assert not has_count(120, printed_range("40.27%"))
    assert has_count(120, printed_range("55.0%"))
    assert not share_of(1, 0, Range(0, 1))


def test_rounded_parts_may_miss_their_total_by_their_rounding():
    parts = [printed_range(cell) for cell in ("33.3", "33.3", "33.3")]
    assert total_meets(parts, Range(100, 100))
    assert not total_meets([Range(350, 350), Range(150, 150), Range(374, 374)], Range(854, 854))
