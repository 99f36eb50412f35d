"""The docs name everything that there is, and nothing that there is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from hanzi_core.cli import build
from hanzi_core.cli.datasets import ImportConfig
from hanzi_core.dataset import SplitSettings
from hanzi_core.evaluation.predictions import EvaluationConfig
from hanzi_core.image.augment import Augmentation
from hanzi_core.training.config import Network, TrainingConfig
from hanzi_core.training.presets import PRESETS

PROJECT = Path(__file__).parents[1]
DOCS = {path: path.read_text("utf-8") for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))}
SETTINGS = (TrainingConfig, SplitSettings, EvaluationConfig, ImportConfig, Augmentation)


def verbs() -> Iterator[str]:
    """Every command that ``--help`` shows, with the groups that it stands in: ``dataset import``."""

    def walk(command: object, name: str) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if below is None:
            yield name
        else:
            for child, inner in below.items():
                if not inner.hidden:
                    yield from walk(inner, f"{name} {child}".strip())

    yield from walk(typer.main.get_command(build()), "")


@pytest.mark.parametrize("verb", list(verbs()))
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert re.search(rf"hanzi_core {verb}\b", DOCS[PROJECT / "README.md"])


def test_the_docs_name_no_verb_that_is_not_there() -> None:
    groups = {verb.split()[0] for verb in verbs()}
    named = {match for text in DOCS.values() for match in re.findall(r"python -m hanzi_core ([a-z][a-z-]*)", text)}
    assert named <= groups


@pytest.mark.parametrize("title", re.findall(r'st\.Page\(.*title=_\("(\w+)"\)', (PROJECT / "app.py").read_text()))
def test_every_page_is_in_the_readme(title: str) -> None:
    assert f"**{title}**" in DOCS[PROJECT / "README.md"]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda kind: kind.__name__)
def test_every_setting_is_described(settings: type[BaseModel]) -> None:
    assert not [name for name, field in settings.model_fields.items() if not field.description]


@pytest.mark.parametrize("path", sorted(DOCS), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", DOCS[path]) if "://" not in link]
    assert not [link for link in targets if not (path.parent / link).exists()]


@pytest.mark.parametrize("path", sorted(DOCS), ids=lambda path: path.name)
def test_the_make_targets_named_are_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^ *make ([a-z-]+)|`make ([a-z-]+)`", DOCS[path], re.MULTILINE))
    assert {name for pair in named for name in pair if name} <= targets


def test_the_training_page_promises_what_the_readme_does() -> None:
    found = re.search(r"ten minutes of training on two CPU cores give (\S+ %)", DOCS[PROJECT / "README.md"])
    assert found and found[1] in PRESETS[Network.COMPACT].expect
