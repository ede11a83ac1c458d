"""Images per second become seconds of an image, with the ratios of the rounds."""

import numpy as np
import pytest
from torch import nn

from benchmarks.training import Frames, operations, write_frames
from benchmarks.training_rows import rows_of
from lnm_kit.regions.crop import region_box
from lnm_kit.simulate.ddti_like import simulated_frame

FOUND = {
    "network": "resnet10t",
    "size_px": 64,
    "device": "cpu (2 processors)",
    "operations an image": 4_000_000_000,
    "fit, images per second": 200.0,
    "frames, images per second": 25.0,
    "tutorial, images per second": 40.0,
    "in memory, images per second": 50.0,
    "limit, images per second": 220.0,
    "seconds, frames / fit": [8.0],
    "seconds, tutorial / fit": [4.0, 5.0, 6.0],
    "seconds, in memory / fit": [4.0],
    "seconds, limit / fit": [0.9, 0.92],
}


def test_every_loop_is_a_row():
    rows = {row["peer"]: row for row in rows_of(FOUND)}
    assert len(rows) == 4
    tutorial = rows["loop of a tutorial"]
    assert (tutorial["seconds"], tutorial["peer_seconds"]) == (0.005, 0.025)
    assert (tutorial["ratio_low"], tutorial["ratio"], tutorial["ratio_high"]) == (4, 5, 6)
    assert rows["bare network, the limit"]["ratio"] == pytest.approx(0.91)
    assert "fit: 800 billion operations a second" in tutorial["note"]


def test_operations_are_the_multiplications_and_additions_of_both_passes():
    layer = nn.Conv2d(1, 4, 3, padding=1, bias=False)
    # 9 multiplications and 9 additions a pixel and filter, forward and for the filters' gradient;
    # the image's own gradient is not asked for
    assert operations(layer, 8) == 2 * 2 * 9 * 4 * 8 * 8


def test_a_region_cut_when_asked_for_is_the_square_around_its_mask(tmp_path):
    files = write_frames(tmp_path, 2)
    frame = simulated_frame(0)
    box = region_box(frame.masks[0])
    region = np.asarray(Frames(files, np.zeros(2), 64).read(files[0]))
    assert region.shape == (box.side, box.side)
    rows, columns = np.nonzero(frame.masks[0])
    assert (region[rows - box.top, columns - box.left] == frame.pixels[rows, columns]).all()
