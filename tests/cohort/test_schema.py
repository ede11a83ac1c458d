import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lnm_kit.cohort.schema import (
    CohortInfo,
    cases_schema,
    images_schema,
    is_inside,
    is_number,
    truth_schema,
)

GIVEN = {"name": "a", "endpoint": "b", "positive": "c", "source": "d", "licence": "e"}


def accepts(schema, column, text):
    """Whether the one check of the column accepts the text."""
    return bool(schema.columns[column].checks[0]._check_fn(text))


@pytest.mark.parametrize(
    ("column", "right", "wrong"),
    [
        ("case_id", ["c1", "100", "a-b_c.d"], ["", " ", "a/b", "../a", "a b", "-a"]),
        ("split", ["training", "validation", "test", "test_a"], ["", "train", "testing", "test_"]),
        ("label", ["0", "1"], ["", "2", "1.0", "nan", "-1", "yes"]),
        ("sex", ["", "male", "female"], ["M", "nan", "other"]),
        ("age_years", ["", "0", "120", "45.5"], ["-1", "121", "nan", "NaN", "old", "1e999"]),
        ("bmi_kg_m2", ["", "22"], ["0.22", "nan"]),
        ("tumor_size_cm", ["", "1.2"], ["0", "-1", "35"]),
        ("braf_v600e", ["", "0", "1"], ["2", "positive", "nan"]),
        ("tg_ng_ml", ["", "12.5", "0"], ["high", "nan", "inf"]),
        ("margin", ["", "smooth", "none"], ["nan", "NA", "null"]),
        ("center", ["one"], ["", "nan"]),
    ],
)
def test_cells_of_cases(column, right, wrong):
    schema = cases_schema(["case_id", "tg_ng_ml", "margin"])
    assert [text for text in right if not accepts(schema, column, text)] == []
    assert [text for text in wrong if accepts(schema, column, text)] == []


@pytest.mark.parametrize(
    ("column", "right", "wrong"),
    [
        ("modality", ["us", "ceus", "ct"], ["", "US", "mri"]),
        ("view", ["transverse", "unknown"], ["", "Transverse", "nan2"]),
        # 0.0085 is a pixel of 0.085 mm written in cm, 85 one written in micrometers
        ("spacing_x_mm", ["", "0.085", "5"], ["0", "-0.1", "0.0085", "85", "nan"]),
        ("path", ["a.png", "images/a.png"], ["", "../a.png", "/a.png", "a/../../b", "C:\\a.png"]),
        ("time_s", ["", "0", "12.5"], ["-1", "nan"]),
    ],
)
def test_cells_of_images(column, right, wrong):
    schema = images_schema([])
    assert [text for text in right if not accepts(schema, column, text)] == []
    assert [text for text in wrong if accepts(schema, column, text)] == []


def test_cells_of_truth():
    schema = truth_schema([])
    assert accepts(schema, "probability", "0.25")
    assert not any(accepts(schema, "probability", text) for text in ("", "1.01", "nan"))
    assert accepts(schema, "aggressiveness", "-2.5")
    assert not any(accepts(schema, "aggressiveness", text) for text in ("", "nan", "inf"))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_is_a_number(value):
    assert is_number(repr(value))


@given(st.lists(st.sampled_from(["a", "b.png", "..", ".", "", "/"]), max_size=6))
def test_a_path_inside_never_leaves(parts):
    path = "/".join(parts)
    depth = [0]
    for part in path.split("/"):
        depth.append(depth[-1] + {"..": -1, ".": 0, "": 0}.get(part, 1))
    if is_inside(path):
        assert min(depth) >= 0
        assert not path.startswith("/")


def test_a_simulated_cohort_says_how():
    with pytest.raises(ValidationError, match="seed and signal"):
        CohortInfo(**GIVEN, simulated=True)
    assert CohortInfo(**GIVEN, simulated=True, seed=3, signal=0).signal == 0


def test_a_real_cohort_has_no_signal():
    with pytest.raises(ValidationError, match="signal only with simulated"):
        CohortInfo(**GIVEN, simulated=False, signal=1.0)


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"simulated": "yes"}, {"licence": 3}, {"colour": "red"}]
)
def test_a_wrong_description_is_refused(wrong):
    with pytest.raises(ValidationError):
        CohortInfo(**{**GIVEN, "simulated": False, **wrong})
