"""``python -m hanzi_core doctor``: what is installed here, which devices are seen, and what to do where one is not."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from typing import Any

import typer

from hanzi_core.jobs.devices import CPU, driver_version, list_devices
from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext

PACKAGES = ("tensorflow", "keras", "numpy", "streamlit", "ai-edge-litert", "jax")
LIBRARIES = ("nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12", "nvidia-nccl-cu12", "jax-cuda12-plugin")
"""What ``make gpu`` and JAX bring along."""
PROBE_LIMIT_S = 180

_TENSORFLOW = """
import json, tensorflow as tf
build = tf.sysconfig.get_build_info()
print(json.dumps({"gpus": [gpu.name for gpu in tf.config.list_physical_devices("GPU")],
                  "cuda": build.get("cuda_version"), "cudnn": build.get("cudnn_version")}))
"""
_JAX = """
import json, jax
print(json.dumps({"gpus": [str(device) for device in jax.devices() if device.platform == "gpu"]}))
"""


def doctor(context: typer.Context) -> None:
    """Tell what is installed, whether TensorFlow (and JAX) see the GPU, and if not, why and what to do."""
    print(f"Python {platform.python_version()}, {platform.platform()}")
    for name in PACKAGES:
        found = _version(name) or _("not installed")
        print(f"{name} {found}")
    print(_("workspace {path}").format(path=context.obj.root))
    for device in list_devices():
        print(f"{device.key}: {device.name}, {device.memory_bytes / 2**30:.0f} GiB")
    driver, tensorflow = driver_version(), _ask(_TENSORFLOW)
    print(_("NVIDIA driver {version}").format(version=driver or _("none")))
    print(_("TensorFlow was built for CUDA {cuda}, cuDNN {cudnn}").format(**_known(tensorflow)))
    for name in LIBRARIES:
        if version := _version(name):
            print(f"{name} {version}")
    print(_verdict(driver, tensorflow))
    print(_verdict_on_jax(driver, _ask(_JAX) if _version("jax") else None))


def _known(found: dict[str, Any]) -> dict[str, str]:
    return {name: str(found.get(name) or _("unknown")) for name in ("cuda", "cudnn")}


def _verdict(driver: str | None, tensorflow: dict[str, Any]) -> str:
    """One sentence: what works, or what is missing and how to mend it."""
    if "fault" in tensorflow:
        return _("TensorFlow does not start: {reason} Install the requirements again.").format(
            reason=tensorflow["fault"]
        )
    if count := len(tensorflow["gpus"]):
        return ngettext(
            "TensorFlow sees {count} GPU: runs can use it.", "TensorFlow sees {count} GPUs: runs can use them.", count
        ).format(count=count)
    if driver is None:
        return _("There is no NVIDIA driver, so runs use the CPU. With a GPU in the machine: install its driver.")
    if not any(device.key != CPU for device in list_devices()):
        return _(
            "There is a driver, but it shows no GPU to this machine or container: start it with the GPU passed in."
        )
    if _version("nvidia-cudnn-cu12") is None:
        return _("The driver is there, but TensorFlow lacks its CUDA libraries: run “make gpu”.")
    return _(
        "Driver and CUDA libraries are there, but TensorFlow cannot use the GPU: "
        "the driver is probably too old for CUDA {cuda}; update it."
    ).format(**_known(tensorflow))


def _verdict_on_jax(driver: str | None, jax: dict[str, Any] | None) -> str:
    """The same of JAX, which only training on several processes needs; ``None`` where it is not installed."""
    if jax is None:
        return _("JAX is not there; only training on several processes needs it: pip install jax, or jax[cuda12].")
    if "fault" in jax:
        return _("JAX does not start: {reason} Install it again.").format(reason=jax["fault"])
    if jax["gpus"]:
        return _("JAX sees {gpus}").format(gpus=", ".join(jax["gpus"]))
    if driver is None:
        return _("JAX sees no GPU, so training on several processes uses the CPU.")
    return _("JAX sees no GPU though there is a driver: pip install “jax[cuda12]”.")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _ask(code: str) -> dict[str, Any]:
    """Let a process apart import the library: this one stays small, and a crash there is an answer."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        return {"fault": f"{error}.", "gpus": []}
    try:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else _("its process ended with code {code}").format(code=done.returncode)
        return {"fault": f"{reason.rstrip('.')}.", "gpus": []}
