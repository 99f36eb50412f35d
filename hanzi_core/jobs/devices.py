"""The devices of this machine: what there is to work on, how busy it is, and how many jobs it takes at once."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil
import pynvml

from hanzi_core.errors import JobError
from hanzi_core.language import mark

CPU = "cpu"
CORES_PER_JOB = 4
"""Below this a run gains from every further core; above, two runs side by side do more than one after the other."""


@dataclass(frozen=True)
class Device:
    """A device as it is at this moment."""

    key: str
    """``cpu``, or ``gpu:`` and the number that the driver gives it."""
    name: str
    memory_bytes: int
    memory_used_bytes: int
    load: float
    """Share of the time that it was busy, 0 to 1; of a CPU, over the last minute."""
    slots: int
    """Jobs that it takes at once."""

    @property
    def memory_free_bytes(self) -> int:
        """What a new job could take."""
        return self.memory_bytes - self.memory_used_bytes


def list_devices() -> list[Device]:
    """Every device, GPUs first; no GPU memory is taken by looking."""
    return [*_gpus(), _cpu()]


def find_device(key: str) -> Device:
    """The device ``key``.

    Raises:
        JobError: this machine has no such device; says which it has.
    """
    devices = {device.key: device for device in list_devices()}
    if key not in devices:
        raise JobError(mark("There is no device “{key}” here; there are: {known}."), key=key, known=", ".join(devices))
    return devices[key]


def vanished(keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` that are there no longer: a driver that fell over, a GPU that was taken away."""
    there = {device.key for device in list_devices()}
    return [key for key in keys if key not in there]


def slots(key: str) -> int:
    """How many jobs the device takes at once."""
    return max(1, cores() // CORES_PER_JOB) if key == CPU else 1


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(keys: Sequence[str]) -> dict[str, str]:
    """What a process must be told, before it imports anything, to see these devices and no others."""
    gpus = [key.removeprefix("gpu:") for key in keys if key != CPU]
    seen = {"CUDA_VISIBLE_DEVICES": ",".join(gpus) or "-1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if gpus:
        return seen | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # JAX would take three quarters of the memory at once
    threads = str(max(1, cores() // slots(CPU)))
    return seen | {"JAX_PLATFORMS": "cpu", "TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}


def _cpu() -> Device:
    memory = psutil.virtual_memory()
    return Device(
        key=CPU,
        name=f"CPU, {cores()} cores",
        memory_bytes=memory.total,
        memory_used_bytes=memory.total - memory.available,
        # Not cpu_percent, which knows nothing when a thread asks for the first time: each redraw of a page is one.
        load=min(1.0, psutil.getloadavg()[0] / (os.cpu_count() or 1)),
        slots=slots(CPU),
    )


def _gpus() -> list[Device]:
    with _nvml() as ready:
        if not ready:
            return []
        found = [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [gpu for gpu in found if gpu]


def _gpu(index: int) -> Device | None:
    """The GPU, unless it has fallen off the bus: it is counted still, but answers nothing."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:
        return None
    load = 0.0
    with contextlib.suppress(pynvml.NVMLError):  # a slice of a divided GPU does not tell
        load = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    name = pynvml.nvmlDeviceGetName(handle)
    return Device(f"gpu:{index}", str(name), int(memory.total), int(memory.used), load, 1)


def driver_version() -> str | None:
    """The version of NVIDIA's driver; ``None`` where there is none."""
    with _nvml() as ready:
        return str(pynvml.nvmlSystemGetDriverVersion()) if ready else None


@contextlib.contextmanager
def _nvml() -> Iterator[bool]:
    """Whether the driver's own library is there to be asked."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
