"""How soon which network gets how good, and whether its input keeps up.

    python -m bench.training DATA --minutes 8
    python -m bench.training DATA --input
    python -m bench.training DATA --speed
    python -m bench.training DATA --refresh

DATA is a folder or zip of one folder a character. Each network trains in a process of its own, as ``train`` does, under
the same limit of time on the same machine, and is tested on the same pictures. ``cnn`` and ``resnet50`` are the classic
presets; where the limit cuts one short, the table says after how many of its epochs. ``compact`` gets as many epochs
as ``estimate`` says that the time is enough for. With ``--workspace`` what has been measured is kept, so that
``--networks`` can be given one after the other, and a long one in pieces (``--pause-after``); the last call prints all.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from hanzi_core.charts.curves import learning_curves
from hanzi_core.dataset import Dataset, list_datasets
from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.evaluation.predictions import list_evaluations
from hanzi_core.jobs import Follower, Job, State, Work, list_jobs
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.training.presets import preset_values
from hanzi_core.workspace import Workspace, replace_json

DATASET = "measured"
BUILT_IN = "compact+built-in"
"""The network ``compact`` that begins as the built-in model."""
OURS = ("compact", BUILT_IN)
NETWORKS = (*OURS, *(network.value for network in Network if network is not Network.COMPACT))
COMPARED = (*OURS, "cnn", "resnet50")
PROCESSOR = "processor.json"
INPUT_STEPS = 60
LEAST_EPOCHS, MOST_EPOCHS = 2, 60
"""Of ``compact``, whatever the time."""
SAMPLE_S = 1.0
SPEED_ROUNDS = 4
REFRESH_ROWS, REFRESHES = 10_000, 20


@dataclass(frozen=True)
class Course:
    """Validation accuracy of a run over its seconds, by the clock and of the processor."""

    network: str
    epochs: str
    """Those that were trained, of those of the preset."""
    images_per_s: float
    seconds: list[float]
    processor_s: list[float]
    accuracies: list[float]
    test_top_1: float | None

    @property
    def best(self) -> float:
        """The best accuracy in validation."""
        return max(self.accuracies, default=0.0)

    def until(self, accuracy: float) -> tuple[float, float] | None:
        """Seconds and processor seconds when it was first this good."""
        steps = zip(self.seconds, self.processor_s, self.accuracies, strict=True)
        return next(((clock, busy) for clock, busy, reached in steps if reached >= accuracy), None)


def hanzi(workspace: Workspace, *arguments: str) -> list[str]:
    """The command line of the product."""
    return [sys.executable, "-m", "hanzi_core", "--workspace", str(workspace.root), *arguments]


def measure(workspace: Workspace, network: str, minutes: float, pause_after_min: float | None) -> None:
    """Train ``network`` by the command line for ``minutes`` at most, or go on where it was left.

    Its folder keeps the processor's seconds too. After ``pause_after_min`` the run is asked to stop.
    """
    left = find_run(workspace, network)
    if left is None:
        command = ["train", *train_options(workspace, network, minutes)]
    else:
        left.forget_process()
        command = ["train", "--job", left.id]
    process = subprocess.Popen(hanzi(workspace, *command), stdout=sys.stderr)
    with busy_seconds(process.pid) as samples:
        code = _wait(process, pause_after_min)
    if code:
        raise SystemExit(f"{network} did not end well")
    run = find_run(workspace, network)
    assert run
    replace_json(run.folder / PROCESSOR, joined(processor_samples(run), samples))


def train_options(workspace: Workspace, network: str, minutes: float) -> list[str]:
    """What ``train`` is told."""
    options = ["--dataset", DATASET, "--time-limit-min", str(minutes), "--title", network]
    options += ["--network", network.partition("+")[0]]
    if network == BUILT_IN:
        options += ["--start", "bundle", "--start-bundle", "builtin"]
    if network.startswith("compact"):
        options += ["--epochs", str(fitting_epochs(workspace, options[-2:] if network == BUILT_IN else [], minutes))]
    return options


def _wait(process: subprocess.Popen, pause_after_min: float | None) -> int:
    """The exit code of a run that is asked to stop when its time is up."""
    try:
        return process.wait(None if pause_after_min is None else 60 * pause_after_min)
    except subprocess.TimeoutExpired:
        process.terminate()
        return process.wait()


def processor_samples(run: Job) -> list[list[float]]:
    """Unix time and processor seconds of a run so far."""
    path = run.folder / PROCESSOR
    return json.loads(path.read_text()) if path.exists() else []


def joined(before: list[list[float]], samples: list[tuple[float, float]]) -> list[list[float]]:
    """The samples of a run's next process after those ``before``: its processor begins at 0 again."""
    used = before[-1][1] if before else 0.0
    return [*before, *([when, used + busy] for when, busy in samples)]


def fitting_epochs(workspace: Workspace, start: list[str], minutes: float) -> int:
    """As many as fit into the time by the estimate; a fifth is left for validation and for what else runs."""
    options = ["--dataset", DATASET, *(["--start", "bundle", *start] if start else [])]
    subprocess.run(hanzi(workspace, "estimate", *options), check=True, stdout=sys.stderr)
    found = list_jobs(workspace, "estimate")[0].result() or {}
    return int(np.clip(0.8 * 60 * minutes / found["epoch_s"], LEAST_EPOCHS, MOST_EPOCHS))


@contextmanager
def busy_seconds(pid: int) -> Iterator[list[tuple[float, float]]]:
    """Unix time and processor seconds of a process, noted every second."""
    samples: list[tuple[float, float]] = []
    over = threading.Event()

    def look() -> None:
        process = psutil.Process(pid)
        while not over.wait(SAMPLE_S):
            with suppress(psutil.Error):
                used = process.cpu_times()
                samples.append((time.time(), used.user + used.system))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def find_run(workspace: Workspace, network: str) -> Job | None:
    """The newest run of ``network``, if there is one."""
    return next((job for job in list_jobs(workspace, "train") if job.title == network), None)


def measured(workspace: Workspace) -> list[Job]:
    """The runs whose measurement, or a part of it, is kept, one a network."""
    runs = [find_run(workspace, network) for network in NETWORKS]
    return [run for run in runs if run and processor_samples(run)]


def course(workspace: Workspace, run: Job) -> Course:
    """The course of a run as far as it is."""
    history = run.history.rows()
    rows = [row for row in history if "val_accuracy" in row]
    when, busy = np.array(processor_samples(run)).T
    evaluation = next((job for job, asked in list_evaluations(workspace) if asked.model == run.id), None)
    result = (evaluation.result() if evaluation else None) or {}
    return Course(
        run.title,
        f"{max((row['epoch'] for row in history if 'epoch' in row), default=0):g} / {run.config['epochs']}",
        float(np.median([row["images_per_s"] for row in history if "images_per_s" in row])),
        [row["elapsed_s"] for row in rows],
        [float(np.interp(row["time"], when, busy)) for row in rows],
        [row["val_accuracy"] for row in rows],
        result.get("top_1"),
    )


def table(courses: list[Course]) -> str:
    """Markdown: what each reached, and how soon ours were as good as each of the others ever got."""
    ours = [each for each in courses if each.network in OURS]
    sooner = "".join(f" {each.network} as good at s, times sooner |" for each in ours)
    lines = [
        f"| network | epochs | images/s | best in validation | at s (processor) |{sooner} test top-1 |",
        f"|---|---|---:|---:|---:|{'---:|' * len(ours)}---:|",
    ]
    for each in courses:
        cells = [each.network, each.epochs, f"{each.images_per_s:.0f}", f"{each.best:.2%}" if each.accuracies else "–"]
        cells += [shown(each.until(each.best)), *(_sooner(one, each) for one in ours)]
        cells.append(f"{each.test_top_1:.2%}" if each.test_top_1 is not None else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sooner(ours: Course, other: Course) -> str:
    """When ``ours`` was as good as ``other`` ever got, and how many times sooner that was."""
    if other.network in OURS:
        return "–"
    at, reached = other.until(other.best), ours.until(other.best)
    if at is None or reached is None:
        return "never"
    return f"{shown(reached)}, {at[0] / reached[0]:.1f} ({at[1] / reached[1]:.1f})"


def shown(seconds: tuple[float, float] | None) -> str:
    """Seconds, and those of the processor in brackets."""
    return f"{seconds[0]:.0f} ({seconds[1]:.0f})" if seconds else "never"


def input_share(workspace: Workspace) -> dict[str, float]:
    """Images/s of training over images/s on one batch that lies in memory: 1 where the input costs nothing."""
    config = TrainingConfig(dataset=DATASET)
    job = Job.create(workspace, "estimate", config.model_dump(mode="json"), "input", [CPU])
    load_backend(job.devices)
    from hanzi_core.training.input import Batches, epoch_order
    from hanzi_core.training.run import open_material
    from hanzi_core.training.trainee import prepare_trainee

    material = open_material(Work(job), workspace, config)
    whole = prepare_trainee(workspace, config, material, job.devices).whole
    order = epoch_order(material, config, 0)[: INPUT_STEPS * config.batch_size]
    read = Batches(material, order, config.batch_size)
    same = repeated(read[0], len(read))
    whole.fit(same, verbose=0, shuffle=False)  # compiles
    rates: dict[str, list[float]] = {"training": [], "one batch": []}
    for _ in range(5):
        for name, batches in (("training", read), ("one batch", same)):
            begun = time.monotonic()
            whole.fit(batches, verbose=0, shuffle=False)
            rates[name].append(len(order) / (time.monotonic() - begun))
    pairs = zip(rates["training"], rates["one batch"], strict=True)
    best = {name: max(found) for name, found in rates.items()}
    return {**best, "share of the best": best["training"] / best["one batch"]} | {
        "median share of neighbours": float(np.median([one / other for one, other in pairs]))
    }


def speeds(workspace: Workspace, networks: list[Network]) -> str:
    """Markdown: what a step of each network costs, all in one process, in turn, so that load falls on all alike."""
    load_backend([CPU])
    from hanzi_core.training.precision import prepare as fix_sums

    fix_sums([CPU], seed=0)  # as a run does: it costs time
    trainees = {network: _ready(workspace, network) for network in networks}
    best = dict.fromkeys(trainees, float("inf"))
    for _ in range(SPEED_ROUNDS):
        for network, (whole, batch) in trainees.items():
            begun = time.monotonic()
            whole.train_on_batch(*batch)
            best[network] = min(best[network], time.monotonic() - begun)
    lines = [
        "| network | px | batch | step, s | images/s | parameters | gradient, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for network, (whole, batch) in trainees.items():
        count, size, parameters = len(batch[1]), batch[0].shape[1], whole.count_params()
        trained = sum(int(np.prod(variable.shape)) for variable in whole.trainable_variables)
        lines.append(
            f"| {network} | {size} | {count} | {best[network]:.3f} | {count / best[network]:.1f} | {parameters:,} "
            f"| {trained * 4 / 1e6:.1f} |"
        )
    return "\n".join(lines)


def _ready(workspace: Workspace, network: Network) -> tuple[Any, Any]:
    """A network of its preset, compiled, and a batch for it; pictures of no meaning cost as much as others."""
    from hanzi_core.training.input import Material
    from hanzi_core.training.trainee import prepare_trainee

    config = TrainingConfig(**{"dataset": DATASET, **preset_values(network)})
    rows, size = np.arange(config.batch_size), config.image_size_px
    images = np.random.default_rng(0).integers(0, 255, (len(rows), size, size), np.uint8)
    material = Material(images, rows % 100, [str(label) for label in range(100)], rows, rows, "")
    whole = prepare_trainee(workspace, config, material, [CPU]).whole
    batch = (images[..., np.newaxis].astype(np.float32), rows % 100)
    whole.train_on_batch(*batch)  # compiles
    return whole, batch


def refresh_ms(workspace: Workspace) -> dict[str, float]:
    """Processor milliseconds of what a page does anew each second at 10,000 rows: read the new one, draw two curves."""
    history = Job.create(workspace, "train", {}, "refresh").history
    figures = {"loss": 1.5, "accuracy": 0.5, "top_5": 0.9, "learning_rate": 1e-3, "images_per_s": 300.0}
    rows = [{"kind": "step", "epoch": number / 100, "step": number, **figures} for number in range(REFRESH_ROWS)]
    history.path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    follower, costs = Follower(history), []
    follower.rows()
    for row in rows[:REFRESHES]:
        history.append(row)
        begun = time.process_time()
        for name in ("accuracy", "loss"):
            learning_curves(follower.rows(), name).to_json()
        costs.append(1000 * (time.process_time() - begun))
    return {"median": float(np.median(costs)), "worst": max(costs)}


def repeated(batch: Any, count: int) -> Any:
    """One batch ``count`` times, as Keras reads it."""
    import keras

    class Repeated(keras.utils.PyDataset):
        """The batch again and again."""

        def __len__(self) -> int:
            return count

        def __getitem__(self, index: int) -> Any:
            return batch

    return Repeated()


def prepare(workspace: Workspace, data: Path) -> Dataset:
    """The dataset, brought in if it is not there yet."""
    if not list_datasets(workspace):
        import_dataset(workspace, ImportConfig(location=data, name=DATASET), lambda *_: None)
    return Dataset.find(workspace, DATASET)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=8.0, help="Limit of each network.")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, help=f"Else {', '.join(COMPARED)}; --speed: all.")
    parser.add_argument("--pause-after", type=float, help="Stop after so many minutes; the next call goes on.")
    parser.add_argument("--workspace", type=Path, help="Keep there what was measured, and go on from it.")
    parser.add_argument("--speed", action="store_true", help="Measure a step of every network instead.")
    parser.add_argument("--refresh", action="store_true", help="Measure a refresh of the live page instead.")
    parser.add_argument("--input", action="store_true", help="Measure the input instead.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace.open(asked.workspace or place)
        prepare(workspace, asked.data)
        if asked.speed:
            print(speeds(workspace, [each for each in Network if each in (asked.networks or NETWORKS)]))
            return
        if asked.refresh:
            print(json.dumps(refresh_ms(workspace)))
            return
        if asked.input:
            print(json.dumps(input_share(workspace), indent=1))
            return
        for network in asked.networks or COMPARED:
            run = find_run(workspace, network)
            if run is None or run.status().state is not State.FINISHED:
                measure(workspace, network, asked.minutes, asked.pause_after)
        print(f"at most {asked.minutes:g} minutes each; {psutil.cpu_count()} cores, load {psutil.getloadavg()[2]:.1f}")
        print(table([course(workspace, run) for run in measured(workspace)]))


if __name__ == "__main__":
    main()
