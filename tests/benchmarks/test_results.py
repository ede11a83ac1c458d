"""The result file: one part is replaced, the others stay."""

import json

from benchmarks.results import machine, processor_model, save, versions
from benchmarks.table import show


def test_a_part_is_replaced_and_the_others_stay(tmp_path):
    path = tmp_path / "speed.json"
    save("one", [{"what": "a"}], ["numpy"], path)
    save("two", [{"what": "b"}], ["numpy"], path)
    save("one", [{"what": "c"}], ["numpy"], path)
    found = json.loads(path.read_text())
    assert {part: table["rows"][0]["what"] for part, table in found.items()} == {
        "one": "c",
        "two": "b",
    }
    assert set(found["one"]) == {"measured", "machine", "versions", "rows"}
    assert [each.name for each in tmp_path.iterdir()] == ["speed.json"]


def test_the_machine_has_no_name():
    assert set(machine()) == {"processor", "cores", "memory_gb", "system"}
    assert processor_model()


def test_packages_that_are_not_installed_are_left_out():
    assert set(versions(["numpy", "no-such-package-here"])) == {"python", "numpy"}


def test_a_table_shows_ratios_and_other_rows(capsys):
    timed = {"what": "job", "tool": "own", "seconds": 0.0042, "peer": "x", "peer_seconds": 0.42}
    show("times", [timed | {"ratio": 100.0, "ratio_low": 90.0, "ratio_high": 120.0, "note": ""}])
    show("growth", [{"images": 100, "seconds": 0.5}])
    said = capsys.readouterr().out
    assert "4.2 ms" in said
    assert "100 x  90 to 120" in said
    assert "images  seconds" in said or "seconds  images" in said
