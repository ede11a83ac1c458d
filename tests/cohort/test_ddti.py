"""The import of DDTI: on a small made-up source, and on the real one when it is at hand."""

import errno
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from skimage.measure import label as connected

from lnm_kit.cohort import check_cohort, import_ddti, load_cohort, read_image, read_mask
from lnm_kit.cohort.ddti import LABELS, split_cases, split_planes
from lnm_kit.errors import InputError

SQUARE = [{"x": 200, "y": 50}, {"x": 200, "y": 90}, {"x": 260, "y": 90}, {"x": 260, "y": 50}]
OUTLINE = json.dumps([{"points": SQUARE, "annotation": {}, "regionType": "freehand"}])


def test_a_whole_import(made_up_ddti, tmp_path):
    report = import_ddti(made_up_ddti, tmp_path / "cohort")
    cohort = load_cohort(tmp_path / "cohort")
    assert check_cohort(tmp_path / "cohort") == []
    assert (report.n_cases, report.n_frames, report.n_images) == (10, 11, 11)
    assert list(cohort.cases.index) == [str(number) for number in range(1, 11)]
    assert (cohort.cases["label"] == cohort.cases["tirads"].map(LABELS)).all()
    assert set(cohort.cases["sex"]) == {"female"}
    assert set(cohort.cases["composition"]) == {"solid"}
    assert cohort.cases["margins"].isna().all()
    assert list(cohort.images.query("case_id == '3'").index) == ["3_1", "3_2"]
    assert cohort.images["spacing_x_mm"].isna().all()
    assert "splits are ours" in cohort.info.source
    assert not cohort.info.simulated


def test_frames_are_cropped_and_their_pixels_kept(made_up_ddti, tmp_path):
    import_ddti(made_up_ddti, tmp_path / "cohort")
    pixels = read_image(tmp_path / "cohort/images/1_1.png").pixels
    source = np.asarray(PillowImage.open(made_up_ddti / "1_1.jpg"))[8:309, 87:472, 0]
    assert (pixels == source).all()
    mask = read_mask(tmp_path / "cohort/masks/1_1.png")
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max() + 1) == pytest.approx((50 - 8, 90 - 8), abs=1)
    assert (columns.min(), columns.max() + 1) == pytest.approx((200 - 87, 260 - 87), abs=1)


@pytest.mark.parametrize(
    ("columns", "planes"),
    [
        ([(3, 9), (14, 18)], {"a": (0, 10), "b": (10, 20)}),
        ([(1, 4), (6, 9)], {"a": (0, 10)}),
        ([(12, 19)], {"b": (10, 20)}),
        ([(2, 4), (8, 13)], {"": None}),
    ],
)
def test_a_dual_frame_is_cut_in_the_middle_unless_an_outline_crosses_it(columns, planes):
    mask = np.zeros((6, 20), bool)
    for start, end in columns:
        mask[2:4, start:end] = True
    expected = {name: slice(*ends) if ends else slice(None) for name, ends in planes.items()}
    assert split_planes(mask) == expected


def test_the_same_seed_gives_the_same_bytes(made_up_ddti, tmp_path):
    contents = []
    for name in ("a", "b"):
        import_ddti(made_up_ddti, tmp_path / name, seed=3)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("change", "found", "done"),
    [
        ({"tirads": ""}, "no TI-RADS", "left out"),
        ({"tirads": "6"}, "unknown TI-RADS: '6'", "left out"),
        ({"svg": OUTLINE[:70]}, "the marks break off: 70 characters", "left out"),
        ({"svg": ""}, "no marks", "left out"),
        ({"age": "450"}, "impossible age: '450'", "age left empty"),
        ({"sex": "u"}, "sex is 'u'", "sex left empty"),
        (
            {"svg": OUTLINE.replace('"y": 50', '"y": 350').replace('"y": 90', '"y": 355')},
            "an outline outside of the image: 100% of its area",
            "left out",
        ),
    ],
)
def test_what_is_missing_or_broken_is_reported(
    made_up_ddti, ddti_case, tmp_path, change, found, done
):
    ddti_case(made_up_ddti, "4", **change)
    report = import_ddti(made_up_ddti, tmp_path / "cohort")
    row = report.findings.query("case == '4' and found == @found")
    assert list(row["done"]) == [done]
    written = pd.read_csv(tmp_path / "cohort/import_report.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(written, report.findings)
    cohort = load_cohort(tmp_path / "cohort")
    assert ("4" in cohort.cases.index) == (done != "left out")
    assert check_cohort(tmp_path / "cohort") == []
    assert not (tmp_path / "cohort/images/4_1.png").exists() or done != "left out"


def test_broken_files_are_reported(made_up_ddti, tmp_path):
    (made_up_ddti / "1.xml").write_text("<case><number>1")
    jpg = made_up_ddti / "2_1.jpg"
    jpg.write_bytes(jpg.read_bytes()[:5000])
    (made_up_ddti / "4_1.jpg").unlink()
    (made_up_ddti / "6_9.jpg").write_bytes((made_up_ddti / "6_1.jpg").read_bytes())
    report = import_ddti(made_up_ddti, tmp_path / "cohort")
    text = "\n".join(f"{case} {found}" for case, _, found, _ in report.rows)
    for words in (
        *("1 broken XML: 1.xml is broken XML", "2 no readable frame: 2_1.jpg is truncated"),
        *("4 no readable frame: 4_1.jpg does not exist", "6 no mark in the XML"),
    ):
        assert words in text
    assert report.n_cases == 7
    assert "cases left out, broken XML: 1" in report.summary()


def test_one_image_under_two_cases_is_used_once(made_up_ddti, tmp_path):
    (made_up_ddti / "9_1.jpg").write_bytes((made_up_ddti / "1_1.jpg").read_bytes())
    report = import_ddti(made_up_ddti, tmp_path / "cohort")
    assert "an image of another case, imported before: 1_1" in set(report.findings["found"])
    assert {"same pixels as 9_1", "same pixels as 1_1"} <= set(report.findings["found"])
    assert "9" not in load_cohort(tmp_path / "cohort").cases.index
    assert check_cohort(tmp_path / "cohort") == []


@pytest.mark.parametrize(
    ("source", "words"), [("missing", "is no folder"), ("empty", "holds no XML file")]
)
def test_a_wrong_source_writes_nothing(tmp_path, source, words):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=words):
        import_ddti(tmp_path / source, tmp_path / "cohort")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_source_without_any_label_writes_nothing(ddti_case, tmp_path):
    (tmp_path / "source").mkdir()
    ddti_case(tmp_path / "source", "1", tirads="")
    with pytest.raises(InputError, match=r"no case of .* can be used: no TI-RADS"):
        import_ddti(tmp_path / "source", tmp_path / "cohort")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_only_a_cohort_is_replaced_and_only_when_asked(made_up_ddti, tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    for replace in (False, True):
        with pytest.raises(InputError, match="is not empty"):
            import_ddti(made_up_ddti, folder, replace=replace)
    (folder / "thesis.txt").unlink()
    import_ddti(made_up_ddti, folder)
    with pytest.raises(InputError, match="--force"):
        import_ddti(made_up_ddti, folder)
    (made_up_ddti / "1.xml").unlink()
    import_ddti(made_up_ddti, folder, replace=True)
    assert len(load_cohort(folder).cases) == 9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cohort", "source"]


@pytest.mark.parametrize("place", [".", ".."])
def test_the_source_is_never_the_destination(made_up_ddti, place):
    (made_up_ddti / "cohort.toml").write_text("")
    with pytest.raises(InputError, match="holds the source"):
        import_ddti(made_up_ddti, made_up_ddti / place, replace=True)


def test_a_full_disk_leaves_nothing(made_up_ddti, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PillowImage.Image, "save", full)
    with pytest.raises(InputError, match="no space left on the disk"):
        import_ddti(made_up_ddti, tmp_path / "cohort")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@given(st.integers(5, 300), st.integers(5, 300), st.integers(0, 5))
def test_splits_keep_the_share_of_positives(n_negative, n_positive, seed):
    label = np.array([0] * n_negative + [1] * n_positive)
    split = np.array(split_cases(label, seed))
    for value, n in ((0, n_negative), (1, n_positive)):
        for name, share in (("training", 0.6), ("validation", 0.2), ("test_a", 0.2)):
            assert abs((split[label == value] == name).sum() - share * n) <= 1
    assert list(split) == split_cases(label, seed)


# --- the real data set -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(ddti_source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ddti") / "cohort"
    return import_ddti(ddti_source, folder), load_cohort(folder)


def test_the_real_data_set_is_imported_whole(real):
    report, cohort = real
    assert check_cohort(cohort.root) == []
    assert (report.n_source_cases, report.n_source_frames) == (390, 480)
    # 298 cases have a TI-RADS; 7 of them have only marks that break off
    assert (report.n_cases, report.n_frames, report.n_dual) == (291, 340, 97)
    # 96 dual frames are cut, 93 of them into two images; one outline crosses the middle
    assert report.n_images == len(cohort.images) == 340 + 93
    assert (cohort.images["view"] == "dual").sum() == 1
    assert report.findings["found"].str.startswith("the marks break off").sum() == 7
    assert cohort.cases["tirads"].value_counts().to_dict() == {
        **{"2": 37, "3": 14, "4a": 82},
        **{"4b": 73, "4c": 55, "5": 30},
    }
    assert cohort.cases["sex"].isna().sum() == 15


def test_real_frames_hold_no_text_and_masks_keep_every_outline(real):
    _, cohort = real
    widths = []
    for image in cohort.images.iloc[::10].itertuples():
        gray = read_image(cohort.root / image.path).gray()
        mask = read_mask(cohort.root / image.mask_path)
        assert mask.shape == gray.shape
        assert 1 <= connected(mask).max() <= 5
        # the reading is printed below row 320 of the frame, the scanner's settings beside it
        assert gray.shape[0] <= 325
        widths.append(gray.shape[1])
        assert (gray[:, 0] > 6).mean() >= 0.2
        assert (image.view == "dual") == (gray.shape[1] > 430)
    assert max(widths) <= 526
