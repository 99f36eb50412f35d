from pathlib import Path

import pytest
from pydantic import ValidationError

from hanzi_core.cli.training import chosen_devices, settings
from hanzi_core.errors import HanziError, JobError
from hanzi_core.image.augment import NO_AUGMENTATION
from hanzi_core.image.presets import list_presets
from hanzi_core.training.config import Network, Start, TrainingConfig
from hanzi_core.training.presets import PRESETS, preset_values
from hanzi_core.workspace import Workspace


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 1}, "batch_size"),
        ({"learning_rate": 2}, "learning_rate"),
        ({"start": "bundle"}, "which model"),
        ({"start": "imagenet", "start_file": "x.h5"}, "resnet50 and densenet169"),
        ({"start": "imagenet", "network": "resnet50"}, "nothing is downloaded"),
        ({"rehearsal": "old"}, "something to rehearse"),
        ({"rehearsal": "old", "start": "bundle", "start_bundle": "m", "balance": "weights"}, "cannot be balanced"),
        ({"processes": 3}, "multiple of the number of processes"),
        ({"processes": 2, "hosts": ("a", "b", "c")}, "more hosts than processes"),
        ({"processes": 2, "hosts": ("-oProxyCommand=x", "b")}, "as ssh knows it"),
        ({"processes": 2, "hosts": ("a; true",)}, "as ssh knows it"),
        ({"processes": 2, "hosts": ("",)}, "as ssh knows it"),
        ({"seed": 2**32}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_starts(values: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainingConfig(dataset="any", **values)


def test_a_configuration_survives_its_file() -> None:
    hosts = ("node-1.local", "me@10.0.0.7")
    config = TrainingConfig(dataset="手写", network="cnn", augmentation=NO_AUGMENTATION, hosts=hosts, processes=2)
    assert TrainingConfig(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize("network", list(Network))
def test_every_network_has_a_preset_that_holds(network: Network) -> None:
    assert network in PRESETS and PRESETS[network].expect
    assert TrainingConfig(dataset="any", **preset_values(network)).network is network


def test_the_classic_presets_are_what_they_are_known_as() -> None:
    cnn, resnet = (TrainingConfig(dataset="any", **preset_values(Network(name))) for name in ("cnn", "resnet50"))
    assert (cnn.image_size_px, cnn.batch_size, cnn.epochs, cnn.learning_rate) == (160, 32, 40, 0.01)
    assert (resnet.image_size_px, resnet.batch_size, resnet.epochs, resnet.dropout) == (128, 64, 15, 0.5)
    assert (resnet.momentum, resnet.decay, resnet.early_stopping) == (0.9, 0.9, 10)


def test_what_is_given_goes_before_the_preset(workspace: Workspace) -> None:
    presets = list_presets(workspace)
    name = next(iter(presets))
    values = settings(workspace, {"network": Network.CNN, "epochs": 3, "augmentation": name, "seed": None, "hosts": []})
    assert (values["epochs"], values["batch_size"]) == (3, 32)
    assert values["augmentation"] == presets[name]
    assert "seed" not in values and "hosts" not in values
    assert settings(workspace, {"network": Network.CNN})["augmentation"] == NO_AUGMENTATION
    with pytest.raises(HanziError, match="no augmentation “wild”"):
        settings(workspace, {"augmentation": "wild"})


def test_who_names_first_weights_begins_with_them(workspace: Workspace) -> None:
    """The run began at random, without a word."""
    assert settings(workspace, {"start_bundle": "builtin"})["start"] is Start.BUNDLE
    assert settings(workspace, {"start_file": Path("x.h5")})["start"] is Start.IMAGENET
    assert settings(workspace, {"start_bundle": "builtin", "start": Start.RANDOM})["start"] is Start.RANDOM
    assert "start" not in settings(workspace, {})


def test_devices_that_are_not_there() -> None:
    assert chosen_devices(["cpu", "cpu"]) == ("cpu",)
    with pytest.raises(JobError, match="no device “gpu:77”"):
        chosen_devices(["gpu:77"])
