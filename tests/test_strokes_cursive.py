import numpy as np

from hanzi_core.strokes.anatomy import study
from hanzi_core.strokes.build_cursive import Finder, Part
from hanzi_core.strokes.cursive import CURSIVE_FILE, cursive_forms
from hanzi_core.strokes.hand import Hand
from hanzi_core.strokes.library import StrokeLibrary
from hanzi_core.strokes.style import PRESETS

LIBRARY = StrokeLibrary.load()
FORMS = cursive_forms()
FINDER = Finder(LIBRARY)


def stroke_counts(style: str, character: str, repeat: int) -> set[int]:
    hand = Hand(study(LIBRARY, ["口", character], FORMS))
    path = hand.write(np.ones(repeat, np.int64), [PRESETS[style]] * repeat, np.random.default_rng(0))
    return set(np.diff(path.first).tolist())


def test_forms_are_of_characters_of_the_library_and_lie_in_its_square() -> None:
    assert CURSIVE_FILE.stat().st_size < 500_000
    assert len(FORMS) > 1500
    for character, forms in FORMS.items():
        for strokes in forms:
            assert len(strokes) <= len(LIBRARY.strokes(character))
            assert all(line.min() >= 0 and line.max() <= 1 and line.shape[1] == 2 for line in strokes)


def test_components_are_abbreviated() -> None:
    proper = len(LIBRARY.strokes("開"))
    assert {len(strokes) for strokes in FORMS["開"]} == {proper - 5, proper - 6}, "門 as 门 and as a bare frame"
    assert min(len(strokes) for strokes in FORMS["總"]) < len(LIBRARY.strokes("總")) - 4, "two components at once"


def test_plain_forms_have_the_strokes_that_they_should() -> None:
    left, right = FORMS["四"][0][2:4]
    assert np.ptp(left[:, 0]) < 0.01 > np.ptp(right[:, 0]), "two straight strokes"
    assert np.ptp(FORMS["百"][0][0][:, 0]) < 0.6 * np.ptp(LIBRARY.strokes("百")[0][:, 0]), "a short top"
    for character in "千和":
        assert np.ptp(FORMS[character][0][0][:, 1]) < 0.4 * np.ptp(LIBRARY.strokes(character)[0][:, 1]), "level"


def test_a_form_that_is_another_character_is_left_out() -> None:
    assert "語" not in FORMS, "with 讠 it would be 语"
    for character in ("後", "第", "經", "過"):
        assert not any(FINDER.is_taken(strokes) for strokes in FORMS[character])
    assert FINDER.is_taken(FORMS["千"][0]) and not FINDER.is_taken(FORMS["千"][0], besides=LIBRARY.index("千"))
    assert FINDER.is_taken(LIBRARY.strokes("语"))


def test_components_are_found_by_their_strokes() -> None:
    found = {LIBRARY.characters[place.character] for place in FINDER.places(Part("說", 7), ())}
    assert {"語", "話", "讀"} <= found
    assert not found & {"信", "言", "说", "江"}


def test_hasty_hands_write_them_and_neat_ones_do_not() -> None:
    proper = len(LIBRARY.strokes("後"))
    assert stroke_counts("neat", "後", 200) == {proper}
    assert stroke_counts("running", "後", 200) >= {proper, proper - 1, proper - 2}
    assert stroke_counts("running", "口", 200) == {3}, "a character without such forms stays as it is"
