"""How soon which network gets how good, and whether its input keeps up.

    python -m bench.training DATA --minutes 10 --networks compact cnn resnet50
    python -m bench.training DATA --input

DATA is a folder or zip of one folder a character. Each network trains in a process of its own, as ``train`` does, for
the same time on the same machine, and is tested on the same pictures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanzi_core.dataset.importing import ImportConfig, import_dataset
from hanzi_core.jobs import Job, Work, list_jobs
from hanzi_core.jobs.devices import CPU
from hanzi_core.training.backend import load_backend
from hanzi_core.training.config import TrainingConfig
from hanzi_core.workspace import Workspace

DATASET = "measured"
INPUT_STEPS = 60


@dataclass(frozen=True)
class Course:
    """Validation accuracy of a run over its seconds."""

    network: str
    seconds: list[float]
    accuracies: list[float]
    test_top_1: float | None

    @property
    def best(self) -> float:
        """The best accuracy in validation."""
        return max(self.accuracies, default=0.0)

    def seconds_to(self, accuracy: float) -> float | None:
        """When it was first this good."""
        pairs = zip(self.seconds, self.accuracies, strict=True)
        return next((second for second, reached in pairs if reached >= accuracy), None)


def measure(workspace: Workspace, network: str, minutes: float, extra: list[str]) -> Course:
    """Train ``network`` by the command line for ``minutes``."""
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(workspace.root), "train", "--dataset", DATASET]
    options = [
        "--network",
        network,
        "--time-limit-min",
        str(minutes),
        "--epochs",
        "1000" if network != "compact" else "40",
    ]
    subprocess.run([*command, *options, *extra], check=True, stdout=sys.stderr)
    return course(network, list_jobs(workspace, "train")[0], list_jobs(workspace, "evaluate")[0])


def course(network: str, run: Job, evaluation: Job | None) -> Course:
    """The course of a finished run."""
    rows = [row for row in run.history.rows() if "val_accuracy" in row]
    result = (evaluation.result() if evaluation else None) or {}
    seconds, accuracies = [row["elapsed_s"] for row in rows], [row["val_accuracy"] for row in rows]
    return Course(network, seconds, accuracies, result.get("top_1"))


def table(courses: list[Course]) -> str:
    """Markdown: what each reached, and how soon the first was as good as each of the others ever got."""
    ours = courses[0]
    lines = [
        "| network | best validation | at s | ours as good at s | times sooner | test top-1 |",
        "|---|---|---|---|---|---|",
    ]
    for each in courses:
        at, sooner = each.seconds_to(each.best), ours.seconds_to(each.best)
        ratio = f"{at / sooner:.1f}" if at and sooner else "–"
        test = f"{each.test_top_1:.2%}" if each.test_top_1 is not None else "–"
        lines.append(f"| {each.network} | {each.best:.2%} | {at or 0:.0f} | {sooner or 0:.0f} | {ratio} | {test} |")
    return "\n".join(lines)


def input_share(workspace: Workspace) -> dict[str, float]:
    """Images/s of training over images/s on one batch that lies in memory: 1 where the input costs nothing."""
    config = TrainingConfig(dataset=DATASET)
    job = Job.create(workspace, "train", config.model_dump(mode="json"), "input", [CPU])
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
    for _ in range(3):
        for name, batches in (("training", read), ("one batch", same)):
            begun = time.monotonic()
            whole.fit(batches, verbose=0, shuffle=False)
            rates[name].append(len(order) / (time.monotonic() - begun))
    best = {name: max(found) for name, found in rates.items()}
    return {**best, "share": best["training"] / best["one batch"]}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--networks", nargs="+", default=["compact", "cnn", "resnet50"])
    parser.add_argument("--start-bundle", help="Bundle that compact starts from.")
    parser.add_argument("--input", action="store_true", help="Measure the input instead.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace.open(place)
        import_dataset(workspace, ImportConfig(location=asked.data, name=DATASET), lambda *_: None)
        if asked.input:
            print(json.dumps(input_share(workspace)))
            return
        extra = ["--start", "bundle", "--start-bundle", asked.start_bundle] if asked.start_bundle else []
        print(table([measure(workspace, network, asked.minutes, extra) for network in asked.networks]))


if __name__ == "__main__":
    main()
