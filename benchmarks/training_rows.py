"""What `benchmarks.training` measures, as rows of the table: seconds of one image."""

import statistics

from benchmarks.training import measure as measure_training

PACKAGES = ("lnm-kit", "torch", "torchvision", "timm", "lightning-fabric")
PEERS = {
    "tutorial": "loop of a tutorial",
    "in memory": "the same, images in memory",
    "limit": "bare network, the limit",
}
NETWORK, SIZE_PX, IMAGES, ROUNDS = "resnet10t", 64, 320, 5


def rows_of(found: dict) -> list[dict]:
    """One row a loop that `fit` was compared with."""
    what = f"training on an image of {found['size_px']} px, {found['network']}"
    own = 1 / found["fit, images per second"]
    rows = []
    for name, peer in PEERS.items():
        ratios = found[f"seconds, {name} / fit"]
        rows.append(
            {
                "what": what,
                "tool": "fit",
                "seconds": float(f"{own:.4g}"),
                "rounds": len(ratios),
                "peer": peer,
                "peer_seconds": float(f"{1 / found[f'{name}, images per second']:.4g}"),
                "ratio": statistics.median(ratios),
                "ratio_low": min(ratios),
                "ratio_high": max(ratios),
                "note": f"wall time; {found['device']}",
            }
        )
    return rows


def measure() -> list[dict]:
    return rows_of(
        measure_training(NETWORK, SIZE_PX, n_images=IMAGES, rounds=ROUNDS, device="auto")
    )
