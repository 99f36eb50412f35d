"""Which devices a run computes on, and with numbers of how many bits."""

from collections.abc import Sequence

import keras

from hanzi_core.errors import TrainingError
from hanzi_core.jobs.devices import CPU
from hanzi_core.language import mark
from hanzi_core.training.config import Precision


def prepare(devices: Sequence[str], seed: int) -> None:
    """Take GPU memory only as it is needed, fix the seeds, and on a CPU make every sum come out the same each time.

    Raises:
        TrainingError: TensorFlow does not see a GPU that it should work on.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    wanted = [key for key in devices if key != CPU]
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) < len(wanted):
        raise TrainingError(
            mark("TensorFlow does not see {devices}: “python -m hanzi_core doctor” says why."),
            devices=", ".join(wanted),
        )
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not wanted:  # on GPUs this would cost speed, and some operations have no such form
        tf.config.experimental.enable_op_determinism()


def policy(precision: Precision) -> str:
    """The Keras dtype policy; automatic is 16 bits where the GPU has units for them, and 32 on a CPU.

    A CPU gains a quarter at most, and would no longer give the same weights each time.
    """
    if precision is Precision.FLOAT32:
        return "float32"
    capability = _compute_capability()
    if capability is None:
        return "mixed_bfloat16" if precision is Precision.MIXED else "float32"
    if capability >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= (7, 0) or precision is Precision.MIXED else "float32"


def scaled(optimizer: keras.optimizers.Optimizer, dtype: str) -> keras.optimizers.Optimizer:
    """``optimizer`` for a network of the policy ``dtype``: small gradients would vanish in float16, if not scaled up.

    Keras sees to it only where the policy is that of the compiled model itself, and ours has one of 32 bits around it.
    """
    return keras.optimizers.LossScaleOptimizer(optimizer) if dtype == "mixed_float16" else optimizer


def _compute_capability() -> tuple[int, int] | None:
    """Of the first GPU that TensorFlow sees; JAX's GPUs count as new enough."""
    if keras.backend.backend() == "jax":
        import jax

        return (8, 0) if jax.default_backend() == "gpu" else None
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return tuple(details.get("compute_capability", (0, 0)))
