import numpy as np
import pytest

from hanzi_core.bundle import bundle_folder
from hanzi_core.errors import WorkspaceError
from hanzi_core.jobs import Job
from hanzi_core.recognition import PLAIN, Answer, Recogniser
from hanzi_core.recognition.prototypes import TaughtCache, TaughtCharacters
from hanzi_core.workspace import Workspace
from tests.handwriting import draw
from tests.written_page import write


@pytest.fixture
def recogniser(finished_run: Job) -> Recogniser:
    return Recogniser.open(bundle_folder(finished_run))


def paper(character: str, seed: int) -> np.ndarray:
    return 255 - write(character, seed, 90)[0]


def answer_of(recogniser: Recogniser, taught: TaughtCharacters, cache: TaughtCache, gray: np.ndarray) -> Answer:
    reader = cache.of(recogniser, taught)
    return reader.answer([reader.see(gray)], PLAIN)[0]


def test_a_taught_character_is_recognised_at_once(recogniser: Recogniser, workspace: Workspace) -> None:
    taught, cache = TaughtCharacters(workspace), TaughtCache()
    own = recogniser.answer([recogniser.see(paper("回", 9))], PLAIN)[0]
    assert answer_of(recogniser, taught, cache, paper("回", 9)).candidates == own.candidates
    taught.add("回", [paper("回", seed) for seed in (1, 2, 3)])
    after = answer_of(recogniser, taught, cache, paper("回", 9))
    assert after.candidates[0].label == "回"
    assert sum(each.probability for each in after.candidates) < 1.01


def test_it_does_not_take_the_place_of_what_is_unlike_it(recogniser: Recogniser, workspace: Workspace) -> None:
    taught = TaughtCharacters(workspace)
    taught.add("回", [paper("回", seed) for seed in (1, 2, 3)])
    answer = answer_of(recogniser, taught, TaughtCache(), draw("一", np.random.default_rng(2)))
    assert answer.candidates[0].label == "一"


def test_list_rename_delete(recogniser: Recogniser, workspace: Workspace) -> None:
    taught, cache = TaughtCharacters(workspace), TaughtCache()
    kept = taught.add("☀", [paper("回", seed) for seed in (1, 2, 3)])
    assert answer_of(recogniser, taught, cache, paper("回", 9)).candidates[0].label == "☀"
    taught.rename(kept.id, "回")
    assert answer_of(recogniser, taught, cache, paper("回", 9)).candidates[0].label == "回"
    taught.delete(kept.id)
    assert taught.all() == []
    own = recogniser.answer([recogniser.see(paper("回", 9))], PLAIN)[0]
    assert answer_of(recogniser, taught, cache, paper("回", 9)).candidates == own.candidates


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "a\nb"])
def test_what_is_no_name_is_refused(workspace: Workspace, label: str) -> None:
    with pytest.raises(WorkspaceError):
        TaughtCharacters(workspace).add(label, [paper("回", 1)])
