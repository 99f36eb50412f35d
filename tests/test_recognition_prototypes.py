import shutil
from pathlib import Path

import numpy as np
import pytest

from bench.doubt import scribble
from hanzi_core.bundle import BUILT_IN, bundle_folder
from hanzi_core.errors import BundleError, WorkspaceError
from hanzi_core.jobs import Job
from hanzi_core.recognition import PLAIN, Answer, Preferences, Recogniser, Vocabulary
from hanzi_core.recognition.prototypes import Taught, TaughtCache, TaughtCharacters, TaughtRecogniser
from hanzi_core.recognition.recogniser import SURE
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


def test_a_scribble_stays_doubtful_though_what_it_may_be_was_taught(workspace: Workspace) -> None:
    built_in, taught, cache = Recogniser.open(BUILT_IN), TaughtCharacters(workspace), TaughtCache()
    seen = [built_in.see(scribble(np.random.default_rng(seed))) for seed in range(100)]
    doubtful = [each for each in built_in.answer(seen, PLAIN) if not each.is_sure]
    proud = [each for each in doubtful if each.candidates[0].probability >= SURE]
    assert proud, "without such a one this shows nothing"
    for label in {each.candidates[0].label for each in proud}:
        taught.add(label, [paper("回", seed) for seed in (1, 2, 3)])
    answers = cache.of(built_in, taught).answer([each.seen for each in proud], PLAIN)
    assert not any(each.is_sure for each in answers)


def test_of_ones_own_list_a_taught_character_counts_where_it_is_on_it(
    recogniser: Recogniser, workspace: Workspace
) -> None:
    taught = TaughtCharacters(workspace)
    taught.add("笑脸", [paper("回", seed) for seed in (1, 2, 3)])
    reader = TaughtRecogniser(recogniser, taught.all())
    seen = [reader.see(paper("回", 9)), reader.see(np.full((80, 80), 255, np.uint8))]

    def labels(listed: str) -> list[set[str]]:
        answers = reader.answer(seen, Preferences(vocabulary=Vocabulary.LIST, listed=listed))
        return [{each.label for each in answer.candidates} for answer in answers]

    assert labels("口日") == [{"口", "日"}, set()]
    assert labels("口日笑") == [{"口", "日"}, set()]
    assert labels("口日笑脸") == [{"口", "日", "笑脸"}, set()]  # it takes no other's place among the ten asked for
    assert labels("笑脸") == [{"笑脸"}, set()]  # also where the model knows nothing of the list
    with pytest.raises(BundleError, match="knows none of the characters that count"):
        labels("龘")


def test_a_listed_character_that_only_was_taught_is_sure_of_what_is_like_it_alone(
    recogniser: Recogniser, workspace: Workspace
) -> None:
    taught = TaughtCharacters(workspace)
    taught.add("𰻝", [paper("回", seed) for seed in (1, 2, 3)])
    reader = TaughtRecogniser(recogniser, taught.all())
    seen = [reader.see(paper("回", 9)), reader.see(draw("一", np.random.default_rng(2)))]
    like, unlike = reader.answer(seen, Preferences(vocabulary=Vocabulary.LIST, listed="𰻝"))
    assert like.is_sure and like.candidates[0].probability >= SURE
    assert not unlike.is_sure and unlike.candidates[0].probability < SURE


def test_no_more_candidates_than_asked_for(recogniser: Recogniser, workspace: Workspace) -> None:
    taught = TaughtCharacters(workspace)
    taught.add("☀", [paper("回", seed) for seed in (1, 2, 3)])
    reader = TaughtRecogniser(recogniser, taught.all())
    assert len(reader.answer([reader.see(paper("回", 9))], PLAIN, 3)[0].candidates) == 3


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


def bad_name(folder: Path) -> None:
    (folder / "name.json").write_bytes(b"")


def name_of_another_kind(folder: Path) -> None:
    (folder / "name.json").write_text("[]")


def no_drawings(folder: Path) -> None:
    for path in folder.glob("*.png"):
        path.unlink()


def no_good_drawings(folder: Path) -> None:
    for path in folder.glob("*.png"):
        path.write_bytes(b"rubbish")


@pytest.mark.parametrize("damage", [bad_name, name_of_another_kind, no_drawings, no_good_drawings])
def test_a_damaged_one_is_left_out_and_can_be_deleted(recogniser: Recogniser, workspace: Workspace, damage) -> None:
    taught = TaughtCharacters(workspace)
    damaged = taught.add("☀", [paper("日", seed) for seed in (1, 2, 3)])
    taught.add("回", [paper("回", seed) for seed in (1, 2, 3)])
    damage(taught.folder / damaged.id)
    answer = answer_of(recogniser, taught, TaughtCache(), paper("回", 9))
    assert answer.candidates[0].label == "回"
    assert "☀" not in [each.label for each in answer.candidates]
    assert damaged.id in [each.id for each in taught.all()]
    taught.delete(damaged.id)
    assert [each.label for each in taught.all()] == ["回"]
    assert not (taught.folder / damaged.id).exists()


def test_one_that_lost_its_name_has_a_new_one_given(workspace: Workspace) -> None:
    taught = TaughtCharacters(workspace)
    kept = taught.add("☀", [paper("日", 1)])
    bad_name(taught.folder / kept.id)
    taught.rename(kept.id, "日")
    assert taught.all() == [Taught(kept.id, "日", kept.drawings)]


def test_a_bad_drawing_is_left_out_and_the_others_serve(recogniser: Recogniser, workspace: Workspace) -> None:
    taught = TaughtCharacters(workspace)
    kept = taught.add("☀", [paper("回", seed) for seed in (1, 2, 3)])
    kept.drawings[0].write_bytes(b"rubbish")
    assert answer_of(recogniser, taught, TaughtCache(), paper("回", 9)).candidates[0].label == "☀"


def test_a_delete_that_is_interrupted_leaves_nothing_that_is_read(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = TaughtCharacters(workspace)
    kept = taught.add("☀", [paper("日", 1)])
    monkeypatch.setattr(shutil, "rmtree", lambda *_arguments, **_settings: None)
    taught.delete(kept.id)
    assert taught.all() == []


def test_one_that_is_deleted_while_it_is_listed_is_left_out(
    recogniser: Recogniser, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = TaughtCharacters(workspace)
    kept = taught.add("☀", [paper("回", 1)])
    listed = Path.glob

    def deleted_by_then(folder: Path, pattern: str) -> list[Path]:
        found = list(listed(folder, pattern))
        shutil.rmtree(taught.folder / kept.id, ignore_errors=True)
        return found

    own = recogniser.answer([recogniser.see(paper("回", 9))], PLAIN)[0]
    monkeypatch.setattr(Path, "glob", deleted_by_then)
    assert TaughtRecogniser(recogniser, taught.all()).answer([own.seen], PLAIN)[0].candidates == own.candidates
