"""Time of one simulated frame, as a ratio to a peer measured in the same run.

    python benchmarks/simulation.py [FRAMES]

The peer is the least that any speckle model on this grid must do: complex noise of 600 x 400
points, filtered by one two-dimensional Gaussian pulse, detected and log-compressed.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from lnm_kit.simulate.ddti_like import ddti_like_nodule, simulated_frame
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.texture_features import nodule_crop, texture_features
from lnm_kit.simulate.ultrasound import render


def bare_speckle(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, 600, 400), dtype=np.float32)
    real, imaginary = (gaussian_filter(part, (1.25, 1.85)) for part in parts)
    return 20 * np.log10(np.hypot(real, imaginary) + 1e-6)


def full_frame(seed: int) -> None:
    plane = "transverse" if seed % 2 else "longitudinal"
    render(ddti_like_nodule(seed), SCANNERS["center_1"], plane=plane, seed=seed)


def seconds(call: Callable[[int], object], n: int) -> np.ndarray:
    call(0)
    times = []
    for seed in range(1, n + 1):
        start = time.perf_counter()
        call(seed)
        times.append(time.perf_counter() - start)
    return np.array(times)


def main(n: int) -> None:
    frame = simulated_frame(1)
    crop = nodule_crop(frame.pixels, frame.masks[0])
    peer = np.median(seconds(bare_speckle, n))
    rows = {
        "one frame (render)": seconds(full_frame, n),
        "78 radiomic features of one crop": seconds(lambda _: texture_features(*crop), n),
    }
    print(f"bare speckle (the peer): {1e3 * peer:.0f} ms, median of {n}")
    for name, times in rows.items():
        low, middle, high = 1e3 * np.percentile(times, (5, 50, 95))
        print(
            f"{name}: {middle:.0f} ms (5-95 %: {low:.0f}-{high:.0f}), "
            f"{middle / 1e3 / peer:.1f} x the peer"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
