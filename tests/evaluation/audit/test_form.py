import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit import make_paper, read_paper
from lnm_kit.evaluation.audit.paper import Split

GOOD = """
paper = "Doe 2026"

[splits.test]
n = 200
positive = 40

[candidates]
images = [95, 310]

[table_2]
split = "test"
columns = ["model", "auc", "recall", "loss"]
rows = [
  ["Ours", "0.85 (0.78-0.91)", "0.800", "0.3"],
  ["Theirs", "N/A", "0.850", "0.2"],
]

[table_1]
columns = ["variable", "level", "test_0", "test_1"]
rows = [["sex", "male", "50", "20"], ["sex", "female", "110", "20"]]

[[repeated]]
name = "AUC"
places = ["abstract: 0.85", "table_2 / Ours / auc"]
"""


@pytest.fixture
def read(tmp_path):
    def call(text):
        path = tmp_path / "paper.toml"
        path.write_text(text, encoding="utf-8")
        return read_paper(path)

    return call


def test_a_good_file_is_read(read):
    paper = read(GOOD.replace("0.85 (0.78-0.91)", "0.85"))
    assert paper.splits["test"] == Split(200, 40, 160)
    assert [table.kind for table in paper.tables] == ["metrics", "counts"]
    assert paper.tables[0].columns == ("model", "auc", "sensitivity", "loss")
    assert paper.candidates == {"images": (95, 310)}
    assert paper.place("table_2 / Ours / auc") == [("Table 2", "0.85")]
    assert paper.place("splits.test.n") == [("splits.test.n", "200")]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('paper = "Doe 2026"', "", None, "the name of the paper is missing"),
        ("n = 200", "n = 20", 5, "splits.test: 40 cases of one class are more than 20"),
        ("positive = 40", "positive = 2.5", 6, "positive of splits.test is 2.5; a count"),
        ("positive = 40", "positive = 40\nnegative = 3", 5, "40 positives and 3 negatives"),
        ("n = 200", "n = 0", 5, "n of splits.test is 0"),
        ("[95, 310]", "[95]", 9, "write [positives, negatives]"),
        ('split = "test"', 'split = "tset"', 12, "split 'tset'; the splits are test"),
        ('split = "test"', 'splt = "test"', 12, "did you mean split?"),
        ('"recall"', '"recal"', 13, "a column of numbers 'recal'; did you mean recall?"),
        ('"0.800"', "0.800", 15, "0.8 is not in quotes"),
        ('"0.850", ', "", 16, "row 2: 3 cells, 4 columns"),
        ('"0.850"', '"O.850"', 16, "'O.850' is no printed number"),
        ("(0.78-0.91)", "(0.78)", 15, "no printed interval"),
        ('["model", "auc", "recall", "loss"]', '"auc"', 13, "allowed: a list of texts"),
        ('columns = ["variable"', 'colums = ["variable"', 19, "no `columns`"),
        ('split = "test"', "split = 3", 12, "allowed: the name of a split"),
        ('split = "test"', 'level = "95%"', 12, "allowed: a number from 0.5 to 1"),
        ('split = "test"', 'interval = "exact"', 12, '"wald" or "profile"'),
        ('split = "test"', "averaged = 1", 12, "allowed: true or false"),
        ('split = "test"', 'kind = "comparison"', 12, "needs model_a, model_b, p_value"),
        ('"test_0", "test_1"', '"a", "b"', 20, "kind is None; allowed: metrics"),
        ('"110"', '"1l0"', 21, "no printed count"),
        ("table_2 / Ours", "table_2 / Hers", 25, "no cell at 'table_2 / Hers / auc'"),
        ("abstract: 0.85", "abstract: high", 25, "'high' is no printed number"),
        ("places", "place", 24, "repeated needs places"),
    ],
)
def test_every_problem_is_told_with_its_line(read, old, new, line, message):
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        read(GOOD.replace(old, new))
    text = str(caught.value)
    assert message in text
    if line is not None:
        assert f"line {line}: " in text


def test_a_number_inside_of_another_one_does_not_name_its_line(read):
    """0.8 is found where it stands, not in the 0.85 of a row above."""
    with pytest.raises(InputError) as caught:
        read(GOOD.replace('"0.850"', "0.8"))
    assert "line 16: table_2, row 2: 0.8 is not in quotes" in str(caught.value)


def test_all_problems_are_listed_together(read):
    with pytest.raises(InputError, match="has 3 problems") as caught:
        read(GOOD.replace("n = 200", "n = 20").replace('"0.800"', "0.8").replace("recall", "recal"))
    assert len(str(caught.value).splitlines()) == 4


def test_files_that_are_no_toml_or_hold_nothing(read, tmp_path):
    with pytest.raises(InputError, match="is not TOML"):
        read("x = [")
    with pytest.raises(InputError, match="no table"):
        read('paper = "Doe 2026"')
    with pytest.raises(InputError, match="cannot be read"):
        read_paper(tmp_path / "nowhere.toml")


def test_values_that_are_no_tables_are_told_of():
    with pytest.raises(InputError, match=r"splits\.test must hold n"):
        make_paper({"paper": "Doe", "splits": {"test": 5}})
    with pytest.raises(InputError, match="sums needs parts and total"):
        make_paper({"paper": "Doe", "table": {"columns": ["auc"], "rows": []}, "sums": [{}]})
    table = {"columns": ["auc"], "rows": []}
    with pytest.raises(InputError, match="has 4 problems") as caught:
        make_paper(
            {
                "paper": "Doe",
                "table": table,
                "splits": 5,
                "candidates": "x",
                "repeated": {"name": "AUC"},
                "sums": [{"parts": ["table"], "total": "candidates"}, 3],
            }
        )
    assert r"write tables, [[sums]]" in str(caught.value)
    with pytest.raises(InputError, match="more than one number"):
        make_paper(
            {
                "paper": "Doe",
                "table": table,
                "splits": {"test": {"n": 5, "positive": 2}},
                "sums": [{"parts": ["a: 5"], "total": "splits.test"}],
            }
        )
