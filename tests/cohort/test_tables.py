"""Every way in which the tables can be wrong, and that all of them are told at once."""

import pandas as pd
import pytest

from lnm_kit.cohort import load_cohort
from lnm_kit.cohort.tables import read_tables, typed
from lnm_kit.errors import InputError


def edit(cohort, name, row, column, value):
    """Change one cell of a table as a user would with an editor."""
    path = cohort.root / name
    table = pd.read_csv(path, dtype=str, na_filter=False)
    table.loc[row, column] = value
    table.to_csv(path, index=False)


def problems(cohort):
    return [str(problem) for problem in read_tables(cohort.root).problems]


def test_a_right_cohort_has_no_problems(small_cohort):
    assert problems(small_cohort) == []


@pytest.mark.parametrize(
    ("name", "row", "column", "value", "message"),
    [
        ("cases.csv", 1, "label", "2", "cases.csv, row 3: label is '2'; allowed: 0 or 1"),
        ("cases.csv", 1, "label", "", "cases.csv, row 3: label is empty; allowed: 0 or 1"),
        (
            *("cases.csv", 0, "age_years", "nan"),
            (
                "cases.csv, row 2: age_years is 'nan'; allowed: a number from 0 to 120, or empty "
                "for unknown"
            ),
        ),
        (
            *("cases.csv", 4, "patient_id", "p1"),
            (
                "cases.csv, row 6: patient 'p1' is in validation here, in training in row 3; "
                "allowed: a patient is in one split only"
            ),
        ),
        (
            *("images.csv", 0, "case_id", "c9"),
            "images.csv, row 2: image of the unknown case 'c9'; allowed: a case of cases.csv",
        ),
        (
            *("images.csv", 0, "case_id", "c1"),
            "cases.csv, row 2: case 'c0' has no image; allowed: at least one image a case",
        ),
        (
            *("images.csv", 2, "path", "../i2.png"),
            (
                "images.csv, row 4: path is '../i2.png'; allowed: a path inside the cohort folder, "
                "relative to it, with '/'"
            ),
        ),
        (
            *("images.csv", 5, "spacing_x_mm", ""),
            (
                "images.csv, row 7: spacing in one direction only; allowed: both spacings, or none "
                "for unknown"
            ),
        ),
        (
            *("images.csv", 5, "image_id", "i0"),
            "images.csv, row 7: image_id 'i0' again, first in row 2; allowed: every id once",
        ),
        (
            *("images.csv", 5, "modality", "mri"),
            "images.csv, row 7: modality is 'mri'; allowed: us, ceus, or ct",
        ),
    ],
)
def test_a_wrong_cell_is_named(small_cohort, name, row, column, value, message):
    edit(small_cohort, name, row, column, value)
    assert message in problems(small_cohort)


def test_all_problems_are_in_one_error(small_cohort):
    edit(small_cohort, "cases.csv", 1, "label", "2")
    edit(small_cohort, "cases.csv", 2, "age_years", "-4")
    edit(small_cohort, "cases.csv", 3, "case_id", "c0")
    edit(small_cohort, "images.csv", 0, "spacing_x_mm", "15")
    with pytest.raises(InputError) as error:
        load_cohort(small_cohort.root)
    for words in ("row 3: label is '2'", "row 4: age_years is '-4'", "case_id 'c0' again"):
        assert words in str(error.value)
    assert "spacing_x_mm is '15'" in str(error.value)


def test_a_single_class_in_training(small_cohort):
    for row in (1, 3):
        edit(small_cohort, "cases.csv", row, "label", "0")
    assert "every case of training has label 0" in problems(small_cohort)[0]


def test_training_needs_a_second_split(small_cohort):
    for row in range(4, 8):
        edit(small_cohort, "cases.csv", row, "split", "training")
    assert "the splits are training; allowed: training and one more" in problems(small_cohort)[0]


def test_missing_columns_and_files(small_cohort):
    path = small_cohort.root / "cases.csv"
    pd.read_csv(path).drop(columns=["label", "center"]).to_csv(path, index=False)
    (small_cohort.root / "cohort.toml").unlink()
    found = problems(small_cohort)
    assert "cases.csv: no column label; allowed: cases.csv has the column label" in found
    assert any("no column center" in problem for problem in found)
    assert "cohort.toml: missing; allowed: every cohort folder has this file" in found


def test_a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "no such folder" in str(read_tables(tmp_path / "file").problems[0])


@pytest.mark.parametrize("name", ["cases.csv", "images.csv"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a table"),
        (b"case_id,image_id\n", "no rows"),
        (b"case_id,image_id\nc0,i0\nc1,i1,x,y\n", "not a table"),
        (b"\xff\xfe\x00case", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_table(small_cohort, name, content, words):
    (small_cohort.root / name).write_bytes(content)
    assert any(problem.startswith(name) and words in problem for problem in problems(small_cohort))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "not TOML"),
        ("name = 'a'", "endpoint is missing"),
        ("name = 3", "name is 3"),
        ("license = 'MIT'", "unknown key license"),
    ],
)
def test_a_wrong_description(small_cohort, text, words):
    (small_cohort.root / "cohort.toml").write_text(text)
    assert any(words in problem for problem in problems(small_cohort))


def test_truth_without_simulation_and_the_other_way(small_cohort):
    toml = small_cohort.root / "cohort.toml"
    toml.write_text(
        toml.read_text().replace("false", "true") + "\nseed = 1\nsignal = 1.0\n", encoding="utf-8"
    )
    assert "truth.csv: missing" in problems(small_cohort)[0]
    truth = pd.DataFrame({"case_id": ["c0", "x"], "aggressiveness": [0, 1], "probability": [0, 2]})
    truth.to_csv(small_cohort.root / "truth.csv", index=False)
    found = problems(small_cohort)
    assert any("probability is '2'" in problem for problem in found)
    assert any("truth of the unknown case 'x'" in problem for problem in found)
    assert any("case 'c7' has no truth" in problem for problem in found)


def test_types_follow_the_content_and_ids_stay_text():
    table = pd.DataFrame(
        {
            "case_id": ["01", "02"],
            "center": ["1", "2"],
            "label": ["0", "1"],
            "age_years": ["40", ""],
            "tirads": ["4a", "2"],
        }
    )
    frame = typed(table, "case_id")
    assert list(frame.index) == ["01", "02"]
    assert list(frame["center"]) == ["1", "2"]
    assert frame["label"].dtype == "int64"
    assert frame["age_years"].dtype == "float64"
    assert frame["age_years"].isna().tolist() == [False, True]
    assert list(frame["tirads"]) == ["4a", "2"]
