"""From a raw folder to the first training batch: ours, and the classic way of copies and augmented files.

    python -m bench.datasets compare --images 28000 --classes 7000     both ways on the same generated collection
    python -m bench.datasets ours --images 100000 --classes 7000       ours alone: the classic way takes many minutes
    python -m bench.datasets memory --images 1000000                   peak memory of scan, split and pack on .gnt files

The classic way is written here as scripts of its kind do it: every picture copied into train, val and test with eight
threads, five augmented files a training picture (rotation ±15°, shift ±5 px, zoom 0.9 to 1.1, contrast and brightness
0.8 to 1.2), then ``image_dataset_from_directory``. Neither way pays for importing TensorFlow, and both find the files
in the system's cache. A collection that lies in ``--keep`` already is taken as it is.
"""

import argparse
import os
import resource
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from hanzi_core.dataset import Dataset, ImportConfig, Part, find_faults, import_dataset, open_pack, rescan
from hanzi_core.dataset.split import part_rows
from hanzi_core.workspace import Workspace

SIDE_PX = 96
RECORD_SIDE_PX = 32
BATCH_SIZE = 64


def draw(random: np.random.Generator, side_px: int) -> NDArray[np.uint8]:
    """A few strokes, dark on paper with a little grain, as a scanner sees them."""
    paper = np.full((side_px, side_px), 245, np.uint8)
    for _ in range(int(random.integers(3, 9))):
        points = random.uniform(0.1, 0.9, (3, 2)) * side_px * 16
        cv2.polylines(paper, [points.astype(np.int32)[:, np.newaxis]], False, 20, side_px // 24, cv2.LINE_AA, shift=4)
    return paper - random.integers(0, 4, paper.shape, dtype=np.uint8)


def write_folder(folder: Path, images: int, classes: int) -> None:
    random = np.random.default_rng(0)
    for number in range(images):
        path = folder / chr(0x4E00 + number % classes) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", draw(random, SIDE_PX))[1].tobytes())


def write_gnt(folder: Path, images: int, classes: int, side_px: int) -> None:
    """Files of 10,000 records each."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for start in range(0, images, 10_000):
        with (folder / f"{start // 10_000:04}.gnt").open("wb") as file:
            for number in range(start, min(images, start + 10_000)):
                tag = chr(0x4E00 + number % classes).encode("gb18030")[:2]
                file.write(struct.pack("<I2sHH", 10 + side_px**2, tag, side_px, side_px))
                file.write(draw(random, side_px).tobytes())


def classic(folder: Path, target: Path) -> float:
    """Seconds from the raw folder to the first batch."""
    import keras  # noqa: PLC0415  before the clock starts, and not at all for what needs no Keras

    started = time.perf_counter()
    random = np.random.default_rng(0)
    files = [path for label in sorted(folder.iterdir()) for path in sorted(label.iterdir())]
    parts = random.choice(["train", "val", "test"], len(files), p=[0.8, 0.1, 0.1])

    def prepare(file: Path, part: str, seed: int) -> None:
        place = target / part / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)
        if part == "train":
            augment_files(place, np.random.default_rng(seed))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(prepare, files, parts, range(len(files))))
    batches = keras.utils.image_dataset_from_directory(
        target / "train", color_mode="grayscale", image_size=(64, 64), batch_size=BATCH_SIZE, verbose=False
    )
    next(iter(batches))
    return time.perf_counter() - started


def augment_files(path: Path, random: np.random.Generator) -> None:
    with Image.open(path) as file:
        original = file.convert("L")
    for number in range(5):
        zoom = 1 / random.uniform(0.9, 1.1)
        shift_x, shift_y = random.uniform(-5, 5, 2)
        turned = original.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR, fillcolor=245)
        matrix = (zoom, 0, shift_x, 0, zoom, shift_y)
        moved = turned.transform(turned.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=245)
        toned = ImageEnhance.Contrast(moved).enhance(random.uniform(0.8, 1.2))
        ImageEnhance.Brightness(toned).enhance(random.uniform(0.8, 1.2)).save(
            path.with_name(f"{path.stem}_{number}.png")
        )


def ours(folder: Path, workspace: Workspace, clock: "Clock") -> Dataset:
    """The dataset, once its first batch is there; the seconds of each step are the ``clock``'s."""
    dataset = import_dataset(workspace, ImportConfig(location=folder, name="bench"), clock)
    clock("split and manifest", 0, 0)
    pack = open_pack(dataset, clock)
    clock("first batch", 0, 0)
    rows = part_rows(dataset.parts("default"), Part.TRAIN)
    pack[np.random.default_rng(0).permutation(rows)[:BATCH_SIZE]].astype(np.float32)
    clock("first batch", 0, 0)
    return dataset


class Clock:
    """A report that adds up the seconds of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.phase, self._started = "start", time.perf_counter()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """What is a report to the core."""
        now = time.perf_counter()
        # What is reported has been done: the time since the last word belongs to this phase.
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._started
        self.phase, self._started = phase, now


def bytes_below(folder: Path) -> tuple[int, int]:
    """Sum of sizes, and of blocks on disk."""
    facts = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(fact.st_size for fact in facts), sum(fact.st_blocks * 512 for fact in facts)


@dataclass
class Peak:
    """The worst moment of a measurement: MiB of each process, shared pages counted once (USS)."""

    processes_mib: list[float] = field(default_factory=list)
    after: str = ""
    """What was reported last."""

    @property
    def mib(self) -> float:
        """Of all processes together."""
        return sum(self.processes_mib)


@contextmanager
def peak_memory(clock: Clock) -> Iterator[Peak]:
    """The worst moment of this process and its children, sampled twice a second."""
    peak, done, process = Peak(), threading.Event(), psutil.Process()

    def watch() -> None:
        while not done.wait(0.5):  # asking costs some milliseconds of each process
            now = []
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.Error):
                    now.append(each.memory_full_info().uss / 2**20)
            if sum(now) > peak.mib:
                peak.processes_mib, peak.after = now, clock.phase

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


class Cost(NamedTuple):
    """What one way takes."""

    seconds: float
    processor_s: float
    file_bytes: int
    disk_bytes: int

    def __str__(self) -> str:
        written = f"{self.file_bytes / 2**20:,.0f} MiB written, {self.disk_bytes / 2**20:,.0f} on disk"
        return f"{self.seconds:.1f} s, {self.processor_s:.1f} s of processor time, {written}"


def measure_ours(place: Path, images: int, classes: int) -> Cost:
    folder = place / "raw"
    if not folder.exists():
        write_folder(folder, images, classes)
    warm(folder)
    print(f"{images:,} files, {classes:,} classes, {bytes_below(folder)[0] / images:,.0f} bytes a file", flush=True)
    workspace, cpu, clock = Workspace.open(place / "workspace"), cpu_seconds(), Clock()
    dataset, seconds = ours(folder, workspace, clock), clock.seconds
    cost = Cost(sum(seconds.values()), cpu_seconds() - cpu, *bytes_below(workspace.root))
    print("ours:", ", ".join(f"{phase} {each:.1f} s" for phase, each in seconds.items()))
    print(f"ours: {cost}")
    print(f"scan: {images / seconds['Reading pictures']:,.0f} images/s; {len(find_faults(dataset.manifest()))} faults")
    started = time.perf_counter()
    rescan(dataset, lambda _phase, _done, _total: None)
    again = time.perf_counter() - started
    first = sum(seconds[phase] for phase in ("Listing files", "Reading pictures", "Looking for copies"))
    print(f"scan of nothing new: {again:.1f} s, {first / again:.1f} times faster than the first", flush=True)
    return cost


def compare(place: Path, images: int, classes: int) -> None:
    mine = measure_ours(place, images, classes)
    import keras  # noqa: F401, PLC0415  neither pays for it, in seconds or in processor time

    cpu = cpu_seconds()
    seconds = classic(place / "raw", place / "classic")
    theirs = Cost(seconds, cpu_seconds() - cpu, *bytes_below(place / "classic"))
    print(f"classic: {theirs}")
    faster, less, fewer, smaller = (their / our for their, our in zip(theirs, mine, strict=True))
    print(f"ours: {faster:.1f} times faster, {less:.1f} times less processor time")
    print(f"ours: {fewer:.1f} times fewer bytes, {smaller:.1f} times less of the disk")


def warm(folder: Path) -> None:
    """Read everything once, so that both ways find the files in the system's cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.read_bytes()


def cpu_seconds() -> float:
    """Processor time of this process and of those that it has ended: other work on the machine does not count."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def memory(place: Path, images: int, classes: int) -> None:
    if not (place / "raw").exists():
        write_gnt(place / "raw", images, classes, RECORD_SIDE_PX)
    clock = Clock()
    with peak_memory(clock) as peak:
        ours(place / "raw", Workspace.open(place / "workspace"), clock)
    print(f"{images:,} records: " + ", ".join(f"{phase} {each:.1f} s" for phase, each in clock.seconds.items()))
    each_mib = " + ".join(f"{mib:.0f}" for mib in peak.processes_mib)
    print(f"peak memory of scan, split and pack, all processes: {peak.mib:.0f} MiB ({each_mib}, after “{peak.after}”)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["compare", "ours", "memory"])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=7000)
    parser.add_argument("--keep", type=Path, help="Work here and leave everything [default: a temporary folder].")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    what = {"compare": compare, "ours": measure_ours, "memory": memory}[options.what]
    if options.keep:
        what(options.keep, options.images, options.classes)
        return
    with tempfile.TemporaryDirectory() as place:
        what(Path(place), options.images, options.classes)


if __name__ == "__main__":
    main()
