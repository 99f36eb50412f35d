"""Bring Keras and its backend into a process: on the devices that it may see, and without a page of start-up noise."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hanzi_core.jobs.devices import environment, find_device


def load_backend(devices: Sequence[str]) -> None:
    """Import Keras so that it sees ``devices`` alone; both TensorFlow and JAX look once, when they are imported.

    Raises:
        JobError: a device has vanished since the job was made.
    """
    for key in devices:
        find_device(key)
    os.environ.update(environment(devices) | {"TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR"})
    quicken_convolutions()
    with _held_back_noise(), _without_jax():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401  on JAX too: Keras would load it later, when nothing holds its noise back


def quicken_convolutions() -> None:
    """Let TensorFlow use oneDNN on every processor, unless the environment says otherwise; call before the import.

    By itself it does so only where there is AVX-512: on an AVX2 machine the built-in network then learned from 212
    pictures a processor second instead of 529.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextmanager
def _without_jax() -> Iterator[None]:
    """Keep TensorFlow from importing JAX where that is installed but not what trains; it can be imported afterwards.

    TensorFlow only wants it to convert models of JAX: a fifth of the processor time of its own import.
    """
    if os.environ.get("KERAS_BACKEND") == "jax" or "jax" in sys.modules:
        yield
        return
    sys.modules["jax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["jax"]


@contextmanager
def _held_back_noise() -> Iterator[None]:
    """Keep what the libraries' C++ writes to the error stream before it knows of any log level; unless they fail."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield
        except BaseException:
            noise.seek(0)
            os.write(terminal, noise.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
