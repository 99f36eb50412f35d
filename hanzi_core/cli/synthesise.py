"""``python -m hanzi_core synthesise``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hanzi_core.cli.perform import read_config
from hanzi_core.language import gettext as _


def synthesise(
    folder: Annotated[Path, typer.Argument(help="Where to write: one folder a character. What is there is kept.")],
    characters: Annotated[
        str, typer.Option(help="Characters to write, or gb2312-1 (3,755), gb2312-2 (3,008) or library (9,574).")
    ],
    per_class: Annotated[int, typer.Option(help="Pictures a character.")] = 20,
    style: Annotated[str, typer.Option(help="neat, everyday, running or brush.")] = "everyday",
    unknown: Annotated[str, typer.Option(help="Characters that the stroke library lacks: error or skip.")] = "error",
    training_only: Annotated[bool, typer.Option(help="Write below train/: never validated or tested on.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed writes the same pictures.")] = 0,
) -> None:
    """Write a starter dataset by a simulated hand. Started again, it goes on where it was interrupted."""
    from hanzi_core.strokes.synthesis import SynthesisConfig
    from hanzi_core.strokes.synthesis import synthesise as write

    values = {name: value for name, value in locals().items() if name in SynthesisConfig.model_fields}
    result = write(read_config(SynthesisConfig, values), folder, _show if sys.stderr.isatty() else None)
    print(_("{images} pictures of {characters} characters.").format(**result.model_dump()))
    if result.skipped:
        print(_("The stroke library lacks: {skipped}").format(skipped=result.skipped))


def _show(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr)
