"""Compile the radiomics engine once, so that no first chapter has to wait for it."""

import sys
import time

import numpy as np

from lnm_kit.radiomics.region import region_features
from lnm_kit.regions.images import MaskedImage


def main() -> None:
    """Extract the features of a small disc; numba keeps the compiled code beside the modules."""
    began = time.perf_counter()
    rows, columns = np.mgrid[:40, :40]
    gray = ((rows * 37 + columns * columns * 11) % 256).astype(np.uint8)
    disc = np.hypot(rows - 20, columns - 20) < 12
    region_features(MaskedImage(gray, disc, (0.3, 0.3)), spacing_mm=0.25)
    sys.stdout.write(f"radiomics engine compiled in {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
