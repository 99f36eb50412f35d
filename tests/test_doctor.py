import pytest

from hanzi_core.cli import doctor


def test_a_library_that_crashes_is_an_answer() -> None:
    found = doctor._ask("import os; os.abort()")
    assert found["gpus"] == []
    assert "does not start: its process ended with code " in doctor._verdict(None, found)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'."),
        ("print('driver too old')", "driver too old."),
        ("import sys; sys.exit('no libcudart.')", "no libcudart."),
    ],
)
def test_a_library_that_does_not_start_is_quoted(code: str, says: str) -> None:
    assert doctor._ask(code)["fault"] == says


@pytest.mark.parametrize(
    ("driver", "jax", "says"),
    [
        (None, None, "only training on several processes needs it"),
        (None, {"gpus": []}, "uses the CPU"),
        ("595.1", {"gpus": []}, "jax[cuda12]"),
        ("595.1", {"gpus": ["cuda:0"]}, "JAX sees cuda:0"),
        (None, {"gpus": [], "fault": "no module."}, "does not start: no module."),
    ],
)
def test_the_verdict_on_jax(driver: str | None, jax: dict | None, says: str) -> None:
    assert says in doctor._verdict_on_jax(driver, jax)


@pytest.mark.parametrize(
    ("driver", "tensorflow", "says"),
    [
        (None, {"gpus": []}, "no NVIDIA driver"),
        ("595.1", {"gpus": ["GPU:0"]}, "sees 1 GPU: runs can use it"),
        ("595.1", {"gpus": ["GPU:0", "GPU:1"]}, "sees 2 GPUs: runs can use them"),
        ("595.1", {"gpus": []}, "start it with the GPU passed in"),
    ],
)
def test_the_verdict_says_what_is_missing(driver: str | None, tensorflow: dict, says: str) -> None:
    """There is no GPU where these tests run, so a driver without one is all that can be had of the others."""
    assert says in doctor._verdict(driver, tensorflow)
