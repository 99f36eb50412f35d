"""What each network is trained with unless somebody says otherwise, and what to expect of it.

Times are on two cores of a 2026 server without a GPU; accuracies on pictures never trained on, of a hundred classes of
brush calligraphy (6,344 pictures to train on). A figure that was not measured is not given.
"""

from dataclasses import dataclass, field
from typing import Any

from hanzi_core.image.augment import NO_AUGMENTATION
from hanzi_core.language import mark
from hanzi_core.training.config import Network, Optimiser, Start

_CLASSIC_SGD = {"optimiser": Optimiser.SGD, "learning_rate": 0.01, "weight_decay": 0.0, "label_smoothing": 0.0}


@dataclass(frozen=True)
class Preset:
    """Settings that suit a network."""

    command: str
    expect: str
    """Time and accuracy, in one sentence."""
    settings: dict[str, Any] = field(default_factory=dict)


PRESETS: dict[Network, Preset] = {
    Network.COMPACT: Preset(
        "train --dataset NAME",
        mark(
            "1.3 million parameters, 64 px: the one to take. 306 images/s on two cores; ten minutes of them gave "
            "97.3 % on 100 classes of brush calligraphy."
        ),
    ),
    Network.CNN: Preset(
        "train --dataset NAME --network cnn",
        mark(
            "The plain network of tutorials, 160 px, 12 million parameters, for comparison. 184 images/s on two cores: "
            "28 minutes for 40 epochs of brush calligraphy, 72.7 % in validation at best, after 12 of them."
        ),
        {**_CLASSIC_SGD, "image_size_px": 160, "batch_size": 32, "epochs": 40, "momentum": 0.0, "decay": 1.0}
        | {"dropout": 0.0, "augmentation": NO_AUGMENTATION},
    ),
    Network.RESNET50: Preset(
        "train --dataset NAME --network resnet50",
        mark(
            "ResNet-50, 128 px, 26 million parameters. 20 images/s on two cores: its 15 epochs of 6,344 pictures take "
            "about 80 minutes. From random weights it learns slowly: they gave 63.7 %, and 27 % after the first ten."
        ),
        {**_CLASSIC_SGD, "image_size_px": 128, "batch_size": 64, "epochs": 15, "dropout": 0.5, "early_stopping": 10},
    ),
    Network.DENSENET169: Preset(
        "train --dataset NAME --network densenet169",
        mark(
            "DenseNet-169, 128 px, 14 million parameters. 16 images/s on two cores: about 98 minutes for its 15 "
            "epochs of 6,344 pictures. From random weights it learns slowly: after the first 1.7 % in validation."
        ),
        {**_CLASSIC_SGD, "image_size_px": 128, "batch_size": 64, "epochs": 15, "dropout": 0.5, "early_stopping": 10},
    ),
    Network.MELNYK: Preset(
        "train --dataset NAME --network melnyk",
        mark(
            "Melnyk-Net, 96 px, 6.5 million parameters at 3,755 classes: made for a whole character set. 29 images/s "
            "on two cores: 2 h 26 min for its 40 epochs of 6,344 pictures. After the first two 64.6 % in validation."
        ),
        {**_CLASSIC_SGD, "image_size_px": 96, "batch_size": 64, "epochs": 40, "learning_rate": 0.1, "dropout": 0.5},
    ),
}


CORRECTING: dict[str, Any] = {
    "start": Start.BUNDLE,
    "keep_last": True,
    "learning_rate": 1e-3,
    "epochs": 3,
    "batch_size": 128,
    "label_smoothing": 0.05,
    "weight_decay": 0.0,
}
"""A handful of corrections, all of which are to be known afterwards, and nothing else to be answered otherwise:
``python -m bench.fine_tuning``."""


def preset_values(network: Network) -> dict[str, Any]:
    """The settings of a run of ``network`` that nobody has changed; ``dataset`` is not among them."""
    return {**PRESETS[network].settings, "network": network}
