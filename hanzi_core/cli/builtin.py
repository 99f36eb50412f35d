"""``python -m hanzi_core builtin …``: how the built-in model is made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hanzi_core.bundle import BUILT_IN, CARD

if TYPE_CHECKING:
    from hanzi_core.training.simulation import Simulator

app = typer.Typer(help="Make the built-in model anew, on simulated handwriting.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Folder of this training: checkpoint, history, and the pool of pictures.")]
Fonts = Annotated[Path | None, typer.Option(help="Cache of font shapes; without it, strokes alone are used.")]
Kanjivg = Annotated[Path | None, typer.Option(help="Library made from KanjiVG; without it, Chinese forms alone.")]
HeldOutCount = Annotated[int, typer.Option(help="Simulated pictures to measure on.", min=64)]


@app.command("draw")
def draw(
    folder: Folder,
    first: Annotated[int, typer.Option(help="Number of the first shard.", min=0)] = 0,
    shards: Annotated[int, typer.Option(help="Shards of 16,384 pictures, 67 MB each, to draw.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="Seed of every shard.", min=0)] = 11,
    fonts: Fonts = None,
    kanjivg: Kanjivg = None,
) -> None:
    """Draw pictures ahead of training, or beside it; several can draw at once, with different first shards."""
    from hanzi_core.training.simulation import draw_shards

    draw_shards(_simulator(fonts, kanjivg), folder / "pool", range(first, first + shards), seed)


@app.command("train")
def train(
    folder: Folder,
    images: Annotated[int, typer.Option(help="Train until so many pictures have been seen.", min=1)] = 50_000_000,
    time_limit_min: Annotated[
        float | None, typer.Option(help="End after so many minutes, its cool-down included.")
    ] = None,
    working_size_px: Annotated[int, typer.Option(help="Pixels at which the network looks.", min=16, max=64)] = 64,
    cool_down_images: Annotated[
        int, typer.Option(help="Last pictures, over which the learning rate falls to zero.", min=0)
    ] = 0,
    batch_size: Annotated[int, typer.Option(help="Pictures a step.", min=8)] = 256,
    learning_rate: Annotated[float, typer.Option(help="Between warm-up and cool-down.")] = 2e-3,
    label_smoothing: Annotated[float, typer.Option(help="Share of the target spread, 0 to 1.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and shifts.")] = 0,
    on_device: Annotated[
        bool, typer.Option("--on-device", help="Draw where the network trains; no pool is needed.")
    ] = False,
    writers: Annotated[int, typer.Option(help="Processes that write for --on-device; 0: this one.", min=0)] = 4,
    fonts: Fonts = None,
    kanjivg: Kanjivg = None,
    precision: Annotated[
        str, typer.Option(help="float32, or mixed where the accelerator has 16-bit units.")
    ] = "float32",
    start: Annotated[
        Path | None, typer.Option(help="A built-in bundle to go on from where the folder holds no checkpoint.")
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="PP-OCRv6 as a teacher, made by hanzi_core.training.build_teacher.")
    ] = None,
    teacher_share: Annotated[float, typer.Option(help="Of a target, where it knows the character, 0 to 1.")] = 0.4,
    mixtures: Annotated[float, typer.Option(help="Pictures that it alone judges, for each other, 0 to 4.")] = 0.5,
) -> None:
    """Train on the pool, or go on from the folder's checkpoint, which is renewed every 3 minutes."""
    from hanzi_core.cli.perform import read_config
    from hanzi_core.training.backend import quicken_convolutions

    quicken_convolutions()
    from hanzi_core.training.builtin import BuiltinConfig, Trainer
    from hanzi_core.training.teacher import Teacher

    values = {name: value for name, value in locals().items() if name in BuiltinConfig.model_fields}
    trainer = Trainer(folder, read_config(BuiltinConfig, values), start, Teacher(teacher) if teacher else None)
    batches = None
    if on_device:
        from hanzi_core.training.device_simulation import device_batches
        from hanzi_core.training.undrawn_batches import BatchSettings

        settings = BatchSettings(batch_size, seed, fonts, kanjivg)
        batches = device_batches(settings, trainer.state.images // batch_size, writers)
    trainer.train(folder / "pool", batches)


@app.command("evaluate")
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle with the library's characters.")] = BUILT_IN,
    count: HeldOutCount = 10_000,
    fonts: Fonts = None,
    kanjivg: Kanjivg = None,
) -> None:
    """Measure every figure of a bundle's card anew, on simulated handwriting that was never trained on.

    The card's own figures stand beside them; they agree where count, fonts and library are those it was packaged with.
    """
    from hanzi_core.bundle import Bundle
    from hanzi_core.training.builtin_bundle import HeldOut, repeat_card

    card = Bundle.open(bundle).card
    told = card.metrics | {"temperature": card.temperature}
    for name, value in repeat_card(bundle, HeldOut.draw(_simulator(fonts, kanjivg), count)).items():
        print(f"{name:<14}{value:.4f}   card {told.get(name, float('nan')):.4f}")
    print(card.notes)


@app.command("package")
def package(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a training, or a bundle that became of the built-in model by fine-tuning.")
    ],
    bundle: Annotated[Path, typer.Option(help="Where to write the bundle.")] = BUILT_IN,
    count: HeldOutCount = 10_000,
    fonts: Fonts = None,
    kanjivg: Kanjivg = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option(
            help="Copy of an earlier checkpoint, or an earlier bundle, whose weights count as much; again for more."
        ),
    ] = None,
) -> None:
    """Write the checkpoint's averaged weights as a bundle: calibrated, 8-bit, with its figures."""
    from hanzi_core.training.builtin import BuiltinConfig, Trainer, read_state
    from hanzi_core.training.builtin_bundle import HeldOut, package_again
    from hanzi_core.training.builtin_bundle import package as write
    from hanzi_core.training.builtin_network import average

    bundle.parent.mkdir(parents=True, exist_ok=True)
    checkpoints = [folder, *(earlier or [])]
    if (folder / CARD).is_file():
        _show(package_again(checkpoints, HeldOut.draw(_simulator(fonts, kanjivg), count), bundle))
        return
    states = [read_state(checkpoint) for checkpoint in checkpoints]
    size_px = states[0].working_size_px
    config = BuiltinConfig(working_size_px=size_px)
    model = average([Trainer(checkpoint, config).averaged() for checkpoint in checkpoints])
    held_out = HeldOut.draw(_simulator(fonts, kanjivg), count)
    _show(write(model, states[0], held_out, bundle))


@app.command("widen")
def widen(
    characters: Annotated[Path, typer.Argument(help="Text file of the characters to learn.")],
    shapes: Annotated[Path, typer.Option(help="Cache of their font shapes, made for this file.")],
    start: Annotated[Path, typer.Option(help="The built-in bundle that is to know more.")] = BUILT_IN,
    bundle: Annotated[Path, typer.Option(help="Where to write the bundle.")] = BUILT_IN,
    per_class: Annotated[int, typer.Option(help="Pictures to learn each character from.", min=1)] = 150,
    count: HeldOutCount = 10_000,
    fonts: Fonts = None,
    kanjivg: Kanjivg = None,
) -> None:
    """Teach a built-in model characters that the stroke library lacks, as fonts draw them; what it knows stays."""
    from hanzi_core.strokes.character_sets import read_characters
    from hanzi_core.strokes.font_shapes import FontShapes
    from hanzi_core.training.builtin_bundle import HeldOut
    from hanzi_core.training.widening import Further
    from hanzi_core.training.widening import widen as write

    listed = read_characters(characters)
    further = Further(listed, FontShapes(shapes, len(listed)), per_class)
    simulator = _simulator(fonts, kanjivg)
    bundle.parent.mkdir(parents=True, exist_ok=True)
    _show(write(start, further, simulator, HeldOut.draw(simulator, count), bundle))


def _simulator(fonts: Path | None, kanjivg: Path | None) -> "Simulator":
    from hanzi_core.training.simulation import Simulator

    return Simulator(fonts, kanjivg)


def _show(metrics: dict[str, float]) -> None:
    for name, value in metrics.items():
        print(f"{name:<14}{value:.4f}")
