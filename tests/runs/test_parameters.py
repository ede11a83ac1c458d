import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnm_kit.errors import InputError
from lnm_kit.runs.notebook import literals_of, read_notebook
from lnm_kit.runs.parameters import (
    allowed_values,
    check_parameters,
    describe_parameters,
    parse_assignments,
    read_parameter_file,
    take_parameters,
)
from lnm_kit.runs.profiles import PROFILES
from lnm_kit.runs.schemas import PARAMETERS, LlnmParameters


def test_all_wrong_parameters_are_listed_together():
    wrong = {
        "profile": "demoo",
        "signal": float("nan"),
        "device": "gpu",
        "n_jobs": 0,
        "image_size_px": "big",
        "epochs": 0,
        "wavelets": "maybe",
        "sede": 3,
        "cohort": "",
    }
    with pytest.raises(InputError) as caught:
        check_parameters("llnm", wrong)
    message = str(caught.value)
    assert message.startswith("9 parameters of chapter 'llnm' are wrong:")
    for name in wrong:
        assert f"- {name} is " in message
    assert "did you mean demo?" in message
    assert "did you mean seed?" in message
    assert "epochs is 0; allowed: a whole number, >= 1" in message
    assert "device is 'gpu'; allowed: auto, cpu, cuda or cuda:N" in message
    assert "n_jobs is 0; allowed: -1 or a whole number, >= 1" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signal", -0.1),
        ("seed", -1),
        ("seed", 1.5),
        ("epochs", float("inf")),
        ("learning_rate", 0),
        ("folds", 1),
        ("size", 0),
        ("size", 1.01),
        ("batch_size", 1),
        ("network", "resnet10"),
        ("device", "cuda:x"),
        ("radiomics_spacing_mm", -1),
    ],
)
def test_value_outside_of_the_range_is_refused(name, value):
    with pytest.raises(InputError, match=f"- {name} is "):
        check_parameters("llnm", {name: value})


def test_unknown_chapter_gets_a_suggestion():
    with pytest.raises(InputError, match="Did you mean 'llnm'"):
        check_parameters("lnlm", {})


@pytest.mark.parametrize(
    ("chapter", "profile"), list(itertools.product(PROFILES, ("smoke", "demo", "paper")))
)
def test_profiles_fill_everything_they_are_asked_for_with_allowed_values(chapter, profile):
    resolved = check_parameters(chapter, {"profile": profile}).resolved()
    missing = [name for name, value in resolved if value is None and name != "cohort"]
    assert missing == []
    assert check_parameters(chapter, resolved.model_dump()) == resolved


def test_paper_profile_is_as_printed():
    paper = LlnmParameters(profile="paper").resolved()
    found = (paper.image_size_px, paper.epochs, paper.batch_size, paper.learning_rate, paper.folds)
    assert found == (224, 500, 32, 0.003, 10)


def test_what_is_given_wins_over_the_profile():
    resolved = check_parameters("llnm", {"profile": "smoke", "epochs": 7, "wavelets": True})
    assert resolved.resolved().epochs == 7
    assert resolved.resolved().wavelets is True
    assert resolved.given() == {"profile": "smoke", "epochs": 7, "wavelets": True}


def test_notebook_values_are_checked_too():
    namespace = LlnmParameters().model_dump() | {"seed": 4, "other": object()}
    assert take_parameters("llnm", namespace).seed == 4
    with pytest.raises(InputError, match="epochs is -3"):
        take_parameters("llnm", namespace | {"epochs": -3})


def test_every_parameter_is_described():
    for chapter in PARAMETERS:
        for name, allowed, default, meaning in describe_parameters(chapter):
            assert all([name, allowed, default, meaning])


def test_assignments_keep_words_as_words():
    values = parse_assignments(
        ["weights=none", "cohort=a=b", "size=1e-1", "folds= 5 ", "x=2020-01-01"]
    )
    assert values == {
        "weights": "none",
        "cohort": "a=b",
        "size": 0.1,
        "folds": 5,
        "x": "2020-01-01",
    }
    assert check_parameters("llnm", {"cohort": 2024}).cohort == "2024"


@given(st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))
def test_assignment_reads_back_any_number(value):
    read = parse_assignments([f"x={str(value).lower()}"])["x"]
    assert read == value
    assert type(read) is type(value)


def test_bad_assignments_are_listed_together():
    with pytest.raises(InputError) as caught:
        parse_assignments(["seed", "seed=1", "seed=2", "a b=3"])
    for part in ("'seed' is not", "seed is given twice", "'a b=3' is not"):
        assert part in str(caught.value)


def test_parameter_file_must_be_toml(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_parameter_file(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("seed 3")
    with pytest.raises(InputError, match="is not TOML"):
        read_parameter_file(tmp_path / "bad.toml")
    (tmp_path / "good.toml").write_text("seed = 3\n")
    assert read_parameter_file(tmp_path / "good.toml") == {"seed": 3}


def test_allowed_values_name_the_unit_free_range():
    assert allowed_values(LlnmParameters, "size") == "a number, > 0, <= 1"


@pytest.mark.parametrize("chapter", sorted(PARAMETERS))
def test_parameters_cell_equals_the_defaults(chapter, repository):
    path = repository / "book" / "studies" / f"{chapter}.ipynb"
    assert literals_of(read_notebook(path)) == PARAMETERS[chapter]().model_dump()
