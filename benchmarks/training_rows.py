"""What `benchmarks.training` measures, as rows of the table: seconds of one image."""

import statistics

from benchmarks.training import measure as measure_training

PACKAGES = ("lnm-kit", "torch", "torchvision", "timm", "lightning-fabric")
PEERS = {
    "frames": "loop of a tutorial, whole frames",
    "tutorial": "loop of a tutorial",
    "in memory": "the same, images in memory",
    "limit": "bare network, the limit",
}
JOBS = (
    ("resnet10t", 48, 320, 5),
    ("regnetx_002", 48, 320, 5),
    ("resnet10t", 64, 320, 5),
    ("resnet18", 224, 96, 3),
)
"""Network, size in pixels, images, rounds: those of the chapters, and the size of the papers."""


def rows_of(found: dict) -> list[dict]:
    """One row a loop that `fit` was compared with."""
    what = f"training on an image of {found['size_px']} px, {found['network']}"
    own = 1 / found["fit, images per second"]
    speed = f"fit: {found['operations an image'] / own / 1e9:,.0f} billion operations a second"
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
                "note": f"wall time; {found['device']}; {speed}",
            }
        )
    return rows


def measure() -> list[dict]:
    found = (
        measure_training(network, size_px, n_images=images, rounds=rounds, device="auto")
        for network, size_px, images, rounds in JOBS
    )
    return [row for one in found for row in rows_of(one)]
