"""The result file that the page on speed shows."""

import json
import os
import platform
import re

import pytest

from lnm_kit.errors import InputError
from lnm_kit.measured import duration, measured_parts, measured_speed
from lnm_kit.measured.speed import FILE


def write(folder, **changes):
    part = {
        "measured": "2026-01-02",
        "machine": {"processor": "A 1", "cores": 2, "memory_gb": 8, "system": "Linux"},
        "versions": {"python": "3.11"},
        "rows": [{"what": "x", "seconds": 0.5}, {"what": "y", "ratio": 2.0}],
    }
    path = folder / "speed.json"
    path.write_text(json.dumps({"growth": part | changes}))
    return path


def test_a_part_comes_with_its_machine_and_its_day(tmp_path):
    path = write(tmp_path)
    found = measured_speed("growth", path)
    assert measured_parts(path) == ["growth"]
    assert str(found) == "A 1, 2 cores, 8 GB, Linux, 2026-01-02"
    assert found.rows["what"].tolist() == ["x", "y"]
    assert found.rows["ratio"].isna().tolist() == [True, False]


def test_an_unknown_part_and_a_damaged_file_are_named(tmp_path):
    with pytest.raises(InputError, match="growth"):
        measured_speed("groth", write(tmp_path))
    (tmp_path / "speed.json").write_text("{")
    with pytest.raises(InputError, match=r"speed\.json cannot be read .* `make bench` writes it"):
        measured_parts(tmp_path / "speed.json")


def test_durations_keep_two_digits():
    assert [duration(value) for value in (2.34e-6, 0.0996, 0.99, 1.04, 61.2, 4321)] == [
        "2.3 µs",
        "100 ms",
        "990 ms",
        "1 s",
        "61 s",
        "4,300 s",
    ]


def test_the_committed_file_names_a_processor_and_no_machine():
    text = FILE.read_text(encoding="utf-8")
    for part in measured_parts():
        found = measured_speed(part)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.day)
        assert found.machine["processor"]
        assert found.machine["cores"] >= 1
        assert "lnm-kit" in found.versions
        assert len(found.rows)
    for private in (platform.node(), os.path.expanduser("~")):  # noqa: PTH111 - text, no path
        assert not private or len(private) < 4 or private not in text


def test_every_measured_agreement_holds():
    for part in {"agreement", "agreement_real"} & set(measured_parts()):
        rows = measured_speed(part).rows
        assert (rows["beyond"] == 0).all()
        assert (
            rows.drop(columns=["kind", "regions", "features", "beyond", "ties"]).max().max() < 1e-6
        )
