import numpy as np

from lnm_kit.simulate.scanner import SCANNERS


def test_three_centers_with_their_own_names():
    assert set(SCANNERS) == {"center_1", "center_2", "center_3"}
    assert all(scanner.name == name for name, scanner in SCANNERS.items())


def test_images_of_one_center_vary_around_its_settings():
    scanner = SCANNERS["center_2"]
    images = [scanner.jittered(np.random.default_rng(seed)) for seed in range(400)]
    widths = np.array([image.lateral_px for image in images])
    gains = np.array([image.gain_db for image in images])
    assert abs(np.median(widths) / scanner.lateral_px - 1) < 0.05
    assert abs(gains.mean() - scanner.gain_db) < 0.4
    assert 1.5 < gains.std() < 3.0
    assert len({(image.lateral_px, image.gamma) for image in images}) == 400


def test_what_the_file_format_fixes_does_not_vary():
    image = SCANNERS["center_3"].jittered(np.random.default_rng(1))
    assert image.jpeg_quality == 80
    assert image.dynamic_range_db == 60.0
