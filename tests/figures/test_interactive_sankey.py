import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.interactive_sankey import interactive_sankey
from lnm_kit.figures.sankey import OUTCOME_COLORS, OUTCOMES


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    choices = {name: rng.choice(OUTCOMES[:3], size=80) for name in ("clinical", "network")}
    return pd.DataFrame(choices | {"both of the two": rng.choice(OUTCOMES, size=80)})


def _trace(shown):
    (trace,) = shown.data["figure"]["data"]
    return trace["node"], trace["link"]


def test_flows_are_those_of_a_cross_table(table):
    node, link = _trace(interactive_sankey(table, order=OUTCOMES))
    stage_of = [text.split(":")[0] for text in node["customdata"]]
    category_of = [label.split()[0] for label in node["label"]]
    for before, after in (("clinical", "network"), ("network", "both of the two")):
        flows = pd.crosstab(table[before], table[after])
        found = {
            (category_of[source], category_of[target]): value
            for source, target, value in zip(
                link["source"], link["target"], link["value"], strict=True
            )
            if stage_of[source] == before and stage_of[target] == after
        }
        assert found == {key: n for key, n in flows.stack().items() if n}
    assert sum(link["value"]) == 2 * len(table)


def test_nodes_have_count_place_and_color(table):
    node, _ = _trace(interactive_sankey(table, order=OUTCOMES))
    assert node["label"][0] == f"TP {(table['clinical'] == 'TP').sum()}"
    assert node["color"] == [OUTCOME_COLORS[label.split()[0]] for label in node["label"]]
    places = pd.DataFrame({"x": node["x"], "y": node["y"]})
    assert places["x"].unique().tolist() == [0.001, 0.5, 0.999]
    assert places.groupby("x")["y"].apply(lambda y: y.is_monotonic_increasing).all()
    # TN has no case at the first two stages
    assert places.groupby("x").size().tolist() == [3, 3, 4]
    assert places["y"].between(0, 1, inclusive="neither").all()


def test_flow_tells_its_share_of_what_it_leaves():
    table = pd.DataFrame({"a": ["TP", "TP", "TP"], "b": ["TP", "TP", "FN"]})
    _, link = _trace(interactive_sankey(table, order=OUTCOMES))
    assert sorted(link["customdata"]) == [
        "a TP to b FN:<br>1 of 3 cases",
        "a TP to b TP:<br>2 of 3 cases",
    ]


def test_words_and_static_twin_say_the_same(table):
    shown = interactive_sankey(table, order=OUTCOMES)
    n = (table["network"] == "FP").sum()
    assert f"{n} FP" in shown.alt.split("network: ")[1].split(".")[0]
    assert f"FP: {n}" in [text.get_text() for text in shown.static.axes[0].texts]
    assert interactive_sankey(table, order=OUTCOMES, alt="Mine.").alt == "Mine."


def test_wrong_table_is_refused(table):
    with pytest.raises(InputError, match="not in the order"):
        interactive_sankey(table, order=["TP", "FN"])
    with pytest.raises(InputError, match="two or more columns"):
        interactive_sankey(table[["clinical"]], order=OUTCOMES)
