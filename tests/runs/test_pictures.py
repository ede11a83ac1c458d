"""Smaller pictures show the same, and a picture that would not is left alone."""

import base64
import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lnm_kit.runs.pictures import shrink_pictures, small_png


def as_png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def drawn():
    figure = Figure(figsize=(5, 4))
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0, 2, 1], label="curve")
    axes.imshow(np.random.default_rng(0).integers(0, 256, (90, 90)), cmap="gray")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def test_a_figure_with_a_frame_looks_the_same_and_is_smaller(drawn):
    small = small_png(drawn)
    assert len(small) < 0.7 * len(drawn)
    assert np.abs(pixels(small) - pixels(drawn)).mean() < 1.0


def test_all_grays_stay_as_they_are():
    grays = np.arange(256, dtype=np.uint8).repeat(64).reshape(128, 128)
    png = as_png(np.stack([grays] * 3, axis=-1))
    assert np.array_equal(pixels(small_png(png)), pixels(png))


def test_a_picture_of_many_colors_is_left_alone():
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    png = as_png(noise)
    assert small_png(png) is png


def test_what_is_transparent_becomes_white():
    clear = np.zeros((200, 200, 4), dtype=np.uint8)
    clear[50:, :, 3] = 255
    small = pixels(small_png(as_png(clear)))
    assert (small[0, 0] == 255).all()
    assert (small[100, 0] == 0).all()


def test_files_and_embedded_pictures_shrink_and_texts_stay(tmp_path, drawn):
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.png").write_bytes(drawn)
    word = base64.b64encode(drawn).decode()
    (tmp_path / "page.html").write_text(
        f'<p>über</p><img alt="x" src="data:image/png;base64,{word}">'
    )
    shrink_pictures(tmp_path)
    assert (tmp_path / "_images" / "a.png").read_bytes() == small_png(drawn)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith('<p>über</p><img alt="x" src="data:image/png;base64,')
    assert len(page) < 0.8 * len(word)
