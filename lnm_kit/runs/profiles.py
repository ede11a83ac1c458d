"""What the profiles set where the user sets nothing: smoke (tests), demo (default), paper."""

from typing import Any, Literal

ProfileName = Literal["smoke", "demo", "paper"]

# smoke: under a minute on 2 cores; demo: all patients, small images and few epochs, minutes on
# 2 cores; paper: sizes, epochs and optimizer as printed, meant for a GPU
PROFILES: dict[str, dict[ProfileName, dict[str, Any]]] = {
    "llnm": {
        "smoke": {
            "size": 0.15,
            "network": "resnet10t",
            "image_size_px": 64,
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 0.002,
            "folds": 4,
            "network_folds": 2,
            "compared_epochs": 1,
            "repeated_images": 8,
            "radiomics_spacing_mm": 0.25,
            "wavelets": False,
        },
        "demo": {
            "size": 1.0,
            "network": "resnet10t",
            "image_size_px": 64,
            "epochs": 12,
            "batch_size": 16,
            "learning_rate": 0.002,
            "folds": 10,
            "network_folds": 3,
            "compared_epochs": 4,
            "repeated_images": 40,
            "radiomics_spacing_mm": 0.25,
            "wavelets": True,
        },
        "paper": {
            "size": 1.0,
            "network": "tresnet",
            "image_size_px": 224,
            "epochs": 500,
            "batch_size": 32,
            "learning_rate": 0.003,
            "folds": 10,
            "network_folds": 3,
            "compared_epochs": 500,
            "repeated_images": 100,
            "radiomics_spacing_mm": 0.25,
            "wavelets": True,
        },
    },
}
