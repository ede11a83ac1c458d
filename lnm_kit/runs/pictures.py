"""Pictures of the rendered book: as light as they can be without a reader seeing a difference."""

import io
import re
from base64 import b64decode, b64encode
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from PIL import Image

WORST_MEAN_ERROR = {64: 0.5, 256: 2.0}
"""By the number of colors, in gray levels of 255; one that would change more stays as it is."""

_EMBEDDED = re.compile(r'(?<=src="data:image/png;base64,)[A-Za-z0-9+/=]+(?=")')


def shrink_pictures(html: Path) -> None:
    """Make the PNG files below ``_images``, and those inside the pages, smaller.

    The executed notebooks that can be downloaded keep theirs.
    """
    paths = [*sorted((html / "_images").glob("*.png")), *sorted(html.rglob("*.html"))]
    Parallel(n_jobs=-1, batch_size=8)(delayed(_shrink)(path) for path in paths)


def small_png(png: bytes) -> bytes:
    """Return the picture on white with at most 256 colors, or as it is where that is no gain.

    Frames of ultrasound need 256 grays; 64 colors are enough for most drawings and their edges.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> Image.new("RGBA", (400, 300), (0, 114, 178, 255)).save(buffer, "PNG")
    >>> small = small_png(buffer.getvalue())
    >>> Image.open(io.BytesIO(small)).convert("RGB").getpixel((5, 5))
    (0, 114, 178)
    """
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(ground, picture).convert("RGB")
    before = np.asarray(flat, dtype=np.int16)
    for n_colors, worst in WORST_MEAN_ERROR.items():
        few = flat.quantize(n_colors, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        if np.abs(np.asarray(few.convert("RGB")) - before).mean() <= worst:
            buffer = io.BytesIO()
            few.save(buffer, "PNG", optimize=True)
            return min(buffer.getvalue(), png, key=len)
    return png


def _shrink(path: Path) -> None:
    if path.suffix == ".png":
        path.write_bytes(small_png(path.read_bytes()))
        return
    text = path.read_text(encoding="utf-8")
    smaller = _EMBEDDED.sub(lambda found: _small_text(found[0]), text)
    if smaller != text:
        path.write_text(smaller, encoding="utf-8")


def _small_text(base64: str) -> str:
    return b64encode(small_png(b64decode(base64))).decode()
