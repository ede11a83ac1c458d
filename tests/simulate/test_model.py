import pandas as pd
import pytest
from pydantic import ValidationError

from lnm_kit.errors import InputError
from lnm_kit.published import published_splits, published_table
from lnm_kit.simulate.model import (
    PopulationModel,
    Variable,
    design_matrix,
    population_model,
    simulated_studies,
    target_coefficients,
)

# the DGFNet study prints no table of patients
WITH_TABLE_1 = [study for study in simulated_studies() if study != "dgfnet"]


@pytest.mark.parametrize("study", WITH_TABLE_1)
def test_every_variable_has_the_published_levels(study):
    table = published_table(study, "table_1")
    for variable in population_model(study).variables:
        rows = table[table["variable"] == variable.column]
        assert set(variable.levels) == set(rows["level"]) - {"mean_sd", "quartiles"}


@pytest.mark.parametrize("study", WITH_TABLE_1)
def test_every_published_variable_is_simulated(study):
    published = set(published_table(study, "table_1")["variable"]) - {"label"}
    assert published == {variable.column for variable in population_model(study).variables}


@pytest.mark.parametrize("study", simulated_studies())
def test_every_split_has_a_center_and_the_external_ones_another(study):
    model = population_model(study)
    assert set(model.centers) == set(published_splits(study).index)
    own = {center for split, center in model.centers.items() if not split.startswith("test")}
    assert own == {"center_1"}
    # the CEUS study is of one hospital, its test set a random part
    outside = [center for split, center in model.centers.items() if split.startswith("test")]
    assert all((center == "center_1") == (study == "ceus") for center in outside)


def test_what_no_table_prints_is_specified():
    variables = population_model("dgfnet").variables
    assert all(v.shares if v.levels else v.mean is not None for v in variables)


def test_every_target_has_a_direct_effect():
    model = population_model("clnm")
    assert target_coefficients(model) == model.outcome.targets
    assert set(model.outcome.direct) == set(model.outcome.targets)


def test_every_coefficient_has_a_direct_effect():
    model = population_model("llnm")
    assert set(model.outcome.direct) == set(target_coefficients(model))


def test_classes_are_closed_on_the_printed_side():
    model = population_model("llnm")
    size = model.variable("tumor_size_cm").level_of(pd.Series([1.0, 1.01, 2.0, 4.0, 4.01]))
    assert size.to_list() == ["le_1", "gt_1_le_2", "gt_1_le_2", "gt_2_le_4", "gt_4"]
    age = model.variable("age_years").level_of(pd.Series([54.0, 55.0]))
    assert age.to_list() == ["lt_55", "ge_55"]


def test_the_design_has_one_column_per_coefficient_and_none_for_references():
    model = population_model("llnm")
    cases = pd.DataFrame(
        {
            "sex": ["female"],
            "age_years": [60.0],
            "bmi_kg_m2": [22.0],
            "braf_v600e": [1],
            "clt": [0],
            "tumor_size_cm": [2.5],
            "n_foci": [3],
            "location": ["isthmus"],
            "margin": ["smooth"],
            "taller_than_wide": [1],
            "tpo_ab_iu_ml": [12.0],
            "tg_ng_ml": [8.0],
            "tg_ab_iu_ml": [300.0],
        }
    )
    row = design_matrix(model, cases).iloc[0]
    assert row[row != 0].to_dict() == {
        "sex=female": 1,
        "bmi_kg_m2=normal": 1,
        "braf_v600e=1": 1,
        "tumor_size_cm=gt_2_le_4": 1,
        "n_foci=3": 1,
        "location=isthmus": 1,
        "taller_than_wide=1": 1,
        "tpo_ab_iu_ml": 12,
        "tg_ng_ml": 8,
        "tg_ab_iu_ml": 300,
    }


def test_an_unknown_study_gets_a_suggestion():
    with pytest.raises(InputError, match="Did you mean 'llnm'"):
        population_model("llmn")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"column": "a"}, "needs levels"),
        ({"column": "a", "family": "normal", "edges": (1,), "levels": ("x",)}, "one more level"),
        ({"column": "a", "levels": ("x",), "loadings": {"f": 0.8, "g": 0.8}}, "more than 1"),
        ({"column": "a", "levels": ("x",), "lodings": {}}, "lodings"),
        ({"column": "a", "levels": ("x", "y"), "shares": (1.0,)}, "as many shares"),
    ],
)
def test_a_wrong_variable_is_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        Variable.model_validate(wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factors": ("bulk", "aggressiveness", "thyroiditis")}, "the first factor"),
        ({"factors": ("aggressiveness",)}, "factors that are not listed"),
        ({"unrecorded": ({"column": "a", "levels": ("x",)},)}, "need shares"),
        ({"outcome": {"aggressiveness": 1.0, "direct": {"sxe=female": 1.0}}}, "not listed"),
    ],
)
def test_a_wrong_model_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        PopulationModel.model_validate(population_model("llnm").model_dump() | change)
