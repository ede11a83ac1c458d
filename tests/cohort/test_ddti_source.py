import json

import numpy as np
import pytest

from lnm_kit.cohort.ddti_source import Box, fill_outlines, find_box, read_case
from lnm_kit.errors import InputError

SQUARE = [{"x": 100, "y": 50}, {"x": 100, "y": 90}, {"x": 160, "y": 90}, {"x": 160, "y": 50}]


def svg(*shapes):
    return json.dumps(
        [{"points": points, "annotation": {}, "regionType": kind} for kind, points in shapes]
    )


def xml(number, *marks, tirads="4a"):
    fields = "".join(
        f"<{name}>{value}</{name}>"
        for name, value in {"number": number, "age": "45", "sex": "F", "tirads": tirads}.items()
    )
    texts = "".join(f"<mark><image>{i}</image><svg>{text}</svg></mark>" for i, text in marks)
    return f"<case>{fields}{texts}</case>"


def read(tmp_path, text, name="7.xml"):
    (tmp_path / name).write_text(text)
    return read_case(tmp_path / name)


def test_fields_and_frames_in_order(tmp_path):
    outline, arrow = ("freehand", SQUARE), ("arrow", SQUARE[:2])
    case = read(tmp_path, xml(7, (10, svg(outline)), (2, svg(outline, outline, arrow))))
    assert case.fields["age"] == "45"
    assert case.fields["composition"] == ""
    assert [frame.number for frame in case.frames] == ["2", "10"]
    assert [len(frame.outlines) for frame in case.frames] == [2, 1]
    assert case.frames[0].n_arrows == 1
    assert case.frames[0].outlines[0].tolist() == [[100, 50], [100, 90], [160, 90], [160, 50]]
    assert [frame.fault for frame in case.frames] == [None, None]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no marks"),
        (svg(("freehand", SQUARE))[:60], "the marks break off: 60 characters"),
        (svg(("arrow", SQUARE[:2])), "no outline among the marks"),
        (svg(("freehand", SQUARE[:2])), "an outline of fewer than three points"),
        ('[{"shape": "circle"}]', "marks of another form"),
        ('{"points": 3}', "marks of another form"),
    ],
)
def test_unusable_marks_are_named(tmp_path, text, fault):
    frame = read(tmp_path, xml(7, (1, text))).frames[0]
    assert frame.fault is not None
    assert fault in frame.fault
    assert frame.outlines == []


@pytest.mark.parametrize("number", ["", "../1"])
def test_a_mark_without_a_frame(tmp_path, number):
    frame = read(tmp_path, xml(7, (number, svg(("freehand", SQUARE))))).frames[0]
    assert frame.fault == "a mark without frame number"


def test_two_marks_of_one_frame(tmp_path):
    mark = (1, svg(("freehand", SQUARE)))
    assert {frame.fault for frame in read(tmp_path, xml(7, mark, mark)).frames} == {
        "several marks for one frame"
    }


@pytest.mark.parametrize("text", ["<case><number>7</number>", "no xml", "", xml(8), "<other/>"])
def test_broken_xml(tmp_path, text):
    with pytest.raises(InputError, match=r"7\.xml is"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "box", [Box(8, 309, 87, 472), Box(60, 309, 35, 526), Box(12, 334, 37, 560)]
)
def test_the_box_is_found_beside_text_and_scales(box):
    generator = np.random.default_rng(0)
    frame = np.zeros((360, 560), np.uint8)
    box.crop(frame)[:] = generator.integers(20, 120, box.crop(frame).shape)
    frame[340:350, 20:200:4] = 255  # text below
    frame[100:180, 3:11] = 255  # gray bar
    frame[0:4, 90:470:60] = 200  # scale
    found = find_box(frame)
    assert found == box
    assert found.is_dual == (box.right - box.left > 400)


def test_a_dark_corner_does_not_move_the_box():
    frame = np.zeros((360, 560), np.uint8)
    frame[8:309, 87:472] = 70
    frame[150:309, 380:472] = 0
    assert find_box(frame) == Box(8, 309, 87, 472)


def test_a_black_frame_has_no_box():
    assert find_box(np.zeros((360, 560), np.uint8)) is None


def test_outlines_are_filled_in_x_y_order_and_moved_with_the_crop():
    points = np.array([[point["x"], point["y"]] for point in SQUARE], float)
    mask, outside = fill_outlines([points, points + 100], Box(40, 309, 87, 472), (360, 560))
    assert outside == 0
    rows, columns = np.nonzero(mask)
    assert mask.shape == (269, 385)
    assert (rows.min(), columns.min()) == (50 - 40, 100 - 87)
    # 60 x 40 pixels each, within a border of one pixel
    assert abs(mask.sum() - 2 * 60 * 40) <= 2 * (60 + 40) + 4


def test_the_share_outside_is_that_of_the_worst_outline():
    points = np.array([[point["x"], point["y"]] for point in SQUARE], float)
    box = Box(0, 360, 130, 560)
    _, outside = fill_outlines([points + 200, points], box, (360, 560))
    assert outside == pytest.approx(0.5, abs=0.02)
