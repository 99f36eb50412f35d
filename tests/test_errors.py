import inspect
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from hanzi_core import errors
from hanzi_core.language import set_language_source
from hanzi_core.strokes.style import HandStyle
from hanzi_core.strokes.synthesis import SynthesisConfig
from hanzi_core.training.config import TrainingConfig


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    classes = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.HanziError)
    }
    drawn = {
        line.split()[0].lstrip("│├└─")
        for line in errors.__doc__.splitlines()
        if "Error" in line and line.startswith("    ")
    }
    named = {word for line in errors.__doc__.splitlines() for word in line.split() if word.endswith("Error")}
    assert classes <= named | drawn


def test_an_error_crosses_a_process_border_whole() -> None:
    error = pickle.loads(pickle.dumps(errors.ImageError("{name} is empty", name="a.png")))
    assert type(error) is errors.ImageError
    assert str(error) == "a.png is empty"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "“dataset” is missing."),
        ({"dataset": "a", "lerning_rate": 1}, "There is no setting “lerning_rate”."),
        ({"dataset": "a", "precision": "8"}, "“precision” must be one of auto, mixed, float32."),
        ({"dataset": "a", "epochs": 0}, "“epochs” must be 1 or more."),
        ({"dataset": "a", "dropout": 1}, "“dropout” must be below 1."),
        ({"dataset": "a", "augmentation": {"zoom": "much"}}, "“augmentation.zoom” must be a number."),
        ({"dataset": "a", "start": "bundle"}, "Say which model to start from."),
        ({"dataset": "a", "keep_last": "so"}, "keep_last: Input should be a valid boolean, unable to interpret input."),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainingConfig(**values)
    assert str(errors.of_settings(errors.TrainingError, caught.value)) == says


@pytest.mark.parametrize(
    ("model", "values", "says"),
    [
        (HandStyle, {"joins": 0.3}, "“joins” must be a range, of two numbers: low,high."),
        (HandStyle, {"slant": (0.1, 0.2)}, "“slant” must be a number."),
        (SynthesisConfig, {"characters": "人", "unknown": "bla"}, "“unknown” must be one of error, skip."),
    ],
)
def test_what_the_simulated_hand_cannot_do_is_one_sentence(
    model: type[BaseModel], values: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model(**values)
    assert str(errors.of_settings(errors.DatasetError, caught.value)) == says


def test_a_limit_is_told_in_the_reader_s_language() -> None:
    set_language_source(lambda: "zh_CN")
    with pytest.raises(ValidationError) as caught:
        TrainingConfig(dataset="a", image_size_px=512)
    assert str(errors.of_settings(errors.TrainingError, caught.value)) == "“image_size_px”不能大于 256。"
