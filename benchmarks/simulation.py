"""Time of one simulated frame, as a ratio to a peer measured in the same run.

    python -m benchmarks.simulation [--frames 20] [--rounds 3]

The peer is the least that any speckle model on this grid must do: complex noise of 600 x 400
points, filtered by one two-dimensional Gaussian pulse, detected and log-compressed.
"""

import argparse

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, row
from lnm_kit.simulate.ddti_like import ddti_like_nodule
from lnm_kit.simulate.population import simulate_population
from lnm_kit.simulate.scanner import SCANNERS
from lnm_kit.simulate.ultrasound import render

PACKAGES = ("lnm-kit", "numpy", "scipy", "pandas")


def bare_speckle(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, 600, 400), dtype=np.float32)
    real, imaginary = (gaussian_filter(part, (1.25, 1.85)) for part in parts)
    return 20 * np.log10(np.hypot(real, imaginary) + 1e-6)


def full_frame(seed: int) -> None:
    plane = "transverse" if seed % 2 else "longitudinal"
    render(ddti_like_nodule(seed), SCANNERS["center_1"], plane=plane, seed=seed)


def measure(*, n_frames: int = 20, rounds: int = 3) -> list[dict]:
    """Rows of the table; the seconds of frames are those of one."""
    seeds = range(1, n_frames + 1)
    taken = alternate(
        {
            "frame": lambda: [full_frame(seed) for seed in seeds],
            "speckle": lambda: [bare_speckle(seed) for seed in seeds],
            "patients": lambda: simulate_population("llnm", seed=0, signal=1.0),
        },
        rounds=rounds,
    )
    one = {name: [seconds / n_frames for seconds in times] for name, times in taken.items()}
    what = "ultrasound image with anatomy, nodule and scanner"
    found = [
        row(what, "render", one["frame"], peer="bare speckle", peer_seconds=one["speckle"]),
        row(
            "patients of the first study, without images", "simulate_population", taken["patients"]
        ),
    ]
    found[0]["note"] = "the peer is noise through one filter, the least that speckle takes"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    choice = parser.parse_args()
    rows = measure(n_frames=choice.frames, rounds=choice.rounds)
    save("simulation", rows, PACKAGES)
    show("simulation", rows)


if __name__ == "__main__":
    main()
