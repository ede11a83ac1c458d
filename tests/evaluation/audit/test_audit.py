import pytest

from lnm_kit.evaluation.audit import (
    CAN,
    CANNOT,
    UNCHECKED,
    audit,
    audited_studies,
    make_paper,
    published_paper,
)


@pytest.fixture(scope="module")
def reports():
    return {study: audit(published_paper(study)) for study in audited_studies()}


@pytest.fixture(scope="module")
def llnm(reports):
    return reports["llnm"]


def found(report, table, row, check):
    chosen = report.query("table == @table and row == @row and check == @check")
    assert len(chosen) == 1, (table, row, check)
    return chosen.iloc[0]


def paper(**tables):
    splits = {"test": {"positive": 42, "negative": 220}}
    return make_paper({"paper": "Doe 2026", "splits": splits, **tables})


def metrics(columns, *rows, **settings):
    return {"split": "test", "columns": columns, "rows": [list(row) for row in rows], **settings}


def test_every_metric_row_of_every_study_has_a_verdict(reports):
    for study, report in reports.items():
        assert set(report["verdict"]) <= {CAN, CANNOT, UNCHECKED}
        assert (report["details"] != "").all()
        for table in published_paper(study).tables:
            if table.kind == "metrics":
                judged = set(report.query("table == @table.title")["row"])
                assert {table.name_of(row) for row in table.rows} <= judged


def test_rates_of_a_set_without_class_counts_are_judged_by_its_total():
    def of_sixty(sensitivity, n=60):
        return audit(
            make_paper(
                {
                    "paper": "Doe 2026",
                    "splits": {"test": {"n": n}},
                    "table_4": metrics(
                        ["split", "sensitivity", "specificity", "f1"],
                        ["test", sensitivity, "0.763", "0.784"],
                    ),
                }
            )
        ).iloc[0]

    # 20 of 22 and 29 of 38
    assert of_sixty("0.909").verdict == CAN
    assert "of 60 cases, 22 and 38 give them" in of_sixty("0.909").details
    wrong = of_sixty("0.999")
    assert wrong.verdict == CANNOT
    assert "no positives and negatives that add up to 60" in wrong.details
    # beyond what is searched nothing is said: 200 and 4,800 would not be found
    assert of_sixty("0.909", n=5000).verdict == UNCHECKED


def test_averages_of_the_fifth_study_keep_their_bounds(reports):
    averages = reports["dgfnet"].query("check == 'averages over folds'")
    assert len(averages) == 26
    assert (averages["verdict"] == CAN).all()
    external = found(reports["dgfnet"], "Table 4", "test", "rates and counts")
    assert "22 and 38" in external.details


def test_what_the_fifth_study_prints_twice_is_the_same(reports):
    twice = reports["dgfnet"].query("check == 'one number in several places'")
    assert len(twice) == 9
    assert (twice["verdict"] == CAN).all()
    row = found(
        reports["dgfnet"], "Text", "AUC of DGFNet, lateral, abstract", twice["check"].iloc[0]
    )
    assert row.details == "Table 3: 0.859; Headline: 0.859"


def test_the_fourth_studys_rates_are_of_another_set(reports):
    rows = reports["ceus"].query("check == 'rates and counts'")
    assert (rows["verdict"] == CANNOT).all()
    triple = found(reports["ceus"], "Table 3", "Triple-modality", "AUC and interval")
    assert triple.verdict == CANNOT
    assert "32 positives and 30 negatives allow" in triple.details


def test_known_slips_of_the_first_study_are_found(llnm):
    row = found(llnm, "Table 4", "training, Logistic Regression", "rates and counts")
    assert row.verdict == CANNOT
    assert "lead to PPV 0.167 (printed 0.466)" in row.details
    row = found(llnm, "Table 4", "test_b_before, Junior", "rates and counts")
    assert "no count of 17 positives gives sensitivity 0.546" in row.details
    assert "accuracy 0.690 (printed 0.550)" in row.details
    row = found(llnm, "Table 4", "test_b, 6 rows", "one set of cases for all rows")
    assert "sensitivity alone, to one unit: counts of 11" in row.details
    row = found(llnm, "Table 2", "Serum TG-Ab, IU/ml", "coefficient and odds ratio")
    assert row.verdict == CANNOT
    assert "printed 1.012" in row.details
    assert found(llnm, "Table 2", "> 1 to ≤ 2", "interval and p").verdict == CANNOT
    for name in (
        "training, ResNet 101",
        "validation, ResNet 101",
        "validation, ResNet 34",
        "training, Inception 3",
    ):
        assert "outside its own" in found(llnm, "Table 3", name, "AUC and interval").details
    row = found(llnm, "Table 1", "composition", "levels and split size")
    assert row.details == "validation: 2 + 218 + 1 = 221, not 220"
    assert found(llnm, "Table 1", ">4", "counts and percentages").verdict == CANNOT
    row = found(llnm, "Text", "radiomic features of the six classes", "parts and total")
    assert "= 806, printed 846" in row.details
    text = llnm.query("check == 'one number in several places' and verdict == @CANNOT")
    assert list(text["row"]) == [
        "specificity of the integrated model, validation",
        "specificity of the integrated model, test set A",
    ]
    assert len(llnm.query("check == 'AUC and interval' and verdict == @CANNOT")) == 4


def test_p_values_of_counts_are_those_of_a_usual_test(llnm, reports):
    assert found(llnm, "Table 1", "sex", "counts and p").verdict == CAN  # Yates
    row = found(llnm, "Table 1", "n_foci", "counts and p")
    assert row.verdict == CANNOT
    assert row.details.startswith("printed 0.142; chi-squared 0.274")
    assert found(llnm, "Table 1", "composition", "counts and p").verdict == UNCHECKED
    assert set(reports["clnm"].query("check == 'counts and p'")["verdict"]) == {CAN}


def test_what_fits_in_the_first_study_is_said_to_fit(llnm):
    assert found(llnm, "Table 2", "Middle", "odds ratio and interval").verdict == CAN
    assert found(llnm, "Table 1", "Male", "counts and percentages").verdict == CAN
    assert found(llnm, "Splits", "cases", "splits and total").details.startswith("878 + 220")


def test_images_and_repeated_columns_of_the_second_study_are_found(reports):
    report = reports["lvlnm"]
    row = found(report, "Table 2", "validation, 5 rows", "one set of cases for all rows")
    assert row.details == "without NPV, these fit all 5 rows: 42 positives and 220 negatives"
    row = found(report, "Table 2", "all rows", "columns repeated")
    assert (row.verdict, "sensitivity and NPV" in row.details) == (CANNOT, True)
    row = found(report, "Figure 5", "validation, Thy-DL-Radiomics", "rates and counts")
    assert "15 and 135, of the same number of cases" in row.details
    row = found(report, "Text", "patients of the three splits, as printed", "parts and total")
    assert row.details == "350 + 150 + 374 = 874, printed 854"


def test_percentages_of_the_third_study_are_found(reports):
    report = reports["clnm"].query("verdict == @CANNOT")
    assert list(report["row"]) == ["Male", "Female", "Markedly hypoechoic", "Type I"]
    assert (reports["clnm"].query("check == 'AUCs and p'")["verdict"] == CAN).all()


def test_averages_over_folds_are_not_called_wrong():
    columns = ["model", "sensitivity", "specificity", "accuracy", "ppv", "f1"]
    rows = [("A", "0.613", "0.801", "0.777", "0.431", "0.490")]
    assert audit(paper(table=metrics(columns, *rows))).verdict.tolist() == [CANNOT]
    report = audit(paper(table=metrics(columns, *rows, averaged=True)))
    assert report.verdict.tolist() == [CAN]
    rows = [("A", "0.613", "0.801", "0.777", "0.431", "0.590")]
    report = audit(paper(table=metrics(columns, *rows, averaged=True)))
    assert report.verdict.tolist() == [CANNOT]
    assert "allow F1 from 0.043 to 0.507, printed 0.590" in report.details[0]


def test_other_counts_are_named():
    rows = [("A", "0.738", "0.623", "0.641", "0.272")]
    table = metrics(["model", "sensitivity", "specificity", "accuracy", "ppv"], *rows)
    values = {
        "paper": "Doe 2026",
        "splits": {"test": {"positive": 22, "negative": 128}},
        "candidates": {"images": [42, 220]},
        "table": table,
    }
    assert "fit all of them: images (42 and 220)" in audit(make_paper(values)).details[0]


def test_rates_in_percent_are_read():
    columns = ["model", "sensitivity", "specificity"]
    report = audit(paper(table=metrics(columns, ("A", "73.8", "62.3"), ("B", "73.9", "62.3"))))
    assert report.verdict.tolist()[:2] == [CAN, CANNOT]


def test_equal_columns_that_the_counts_allow_are_left_alone():
    rows = [(name, cell, cell) for name, cell in (("A", "0.80"), ("B", "0.82"), ("C", "0.84"))]
    values = {
        "paper": "Doe 2026",
        "splits": {"test": {"positive": 50, "negative": 50}},
        "table": metrics(["model", "sensitivity", "specificity"], *rows),
    }
    report = audit(make_paper(values))
    assert CANNOT not in set(report.verdict)
    assert report.query("check == 'columns repeated'").verdict.tolist() == [UNCHECKED]


def test_equal_rows_and_rows_in_two_tables():
    columns = ["model", "sensitivity", "specificity", "accuracy", "ppv"]
    one = metrics(columns, ("A", "0.738", "0.623", "0.641", "0.272"))
    two = metrics(columns, *[(name, "0.738", "0.623", "0.641", "0.272") for name in "BC"])
    report = audit(paper(table=two))
    assert report.query("check == 'rows repeated'").verdict.tolist() == [UNCHECKED]
    other = metrics(["model", "ppv"], ("A", "0.273"))
    report = audit(paper(one=one, two=other)).query("check == 'one row in two tables'")
    assert report.details.tolist() == ["PPV 0.272 and 0.273"]


def test_intervals_said_to_be_no_wald_intervals():
    columns, rows = ["label", "odds_ratio", "p_value"], [["x", "3.0 (0.97–8.37)", "0.056"]]
    table = {"columns": columns, "rows": rows}
    assert CANNOT in set(audit(paper(table=table)).verdict)
    assert set(audit(paper(table=table | {"interval": "profile"})).verdict) == {CAN}
    rows = [["x", "3.0 (0.97–8.37)", "0.010"]]
    table = {"columns": columns, "rows": rows, "interval": "profile"}
    assert audit(paper(table=table)).verdict.tolist() == [CAN, CANNOT]


def test_one_number_in_several_places():
    def verdict(*places):
        values = {
            "repeated": [{"name": "AUC", "places": [f"p{i}: {p}" for i, p in enumerate(places)]}]
        }
        table = metrics(["model", "auc"], ("A", "0.80"))
        return audit(paper(table=table, **values)).query("table == 'Text'").verdict.item()

    assert verdict("0.88", "0.88", "88%") == CAN
    assert verdict("0.88", "0.884") == CAN
    assert verdict("0.88", "0.886") == CANNOT
    assert verdict("0.88", "0.89") == CANNOT


def test_ends_of_intervals_in_the_wrong_order_are_seen():
    odds = {"columns": ["label", "odds_ratio"], "rows": [["x", "3.0 (8.37–0.97)"]]}
    table = metrics(["model", "auc", "auc_ci"], ("A", "0.80", "0.91–0.70"))
    report = audit(paper(one=odds, two=table))
    assert report.verdict.tolist() == [CANNOT, CANNOT]
    assert report.details.str.contains("lies above the upper one").all()


def test_what_is_not_printed_is_not_judged():
    table = metrics(["model", "auc", "sensitivity"], ("A", "0.8", "0.7"))
    values = {"paper": "Doe", "splits": {"test": {"n": 50}}, "table": table}
    assert set(audit(make_paper(values)).verdict) == {UNCHECKED}
    values["splits"] = {"test": {"positive": 0, "negative": 5}}
    assert set(audit(make_paper(values)).verdict) == {UNCHECKED}


def test_scores_of_few_levels_may_have_narrow_intervals():
    columns, row = ["model", "auc", "auc_ci"], ("flag", "0.55", "0.53–0.57")
    assert audit(paper(table=metrics(columns, row))).verdict.tolist() == [CANNOT]
    assert audit(paper(table=metrics(columns, row, ties=["flag"]))).verdict.tolist() == [CAN]


def test_columns_may_be_left_alone():
    table = metrics(["model", "sensitivity", "entropy"], ("A", "0.738", "0.1"))
    assert audit(paper(table=table | {"other": ["entropy"]})).verdict.tolist() == [CAN]
    assert audit(paper(table=table | {"audit": False, "other": ["entropy"]})).empty
