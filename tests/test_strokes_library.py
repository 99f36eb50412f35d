import numpy as np
import pytest

from hanzi_core.strokes.build_library import quantise, write_library
from hanzi_core.strokes.library import LIBRARY_FILE, StrokeLibrary, StrokeLibraryError, interpolate, resample

LIBRARY = StrokeLibrary.load()


def test_the_library_holds_what_it_promises() -> None:
    assert len(LIBRARY) == 9574
    assert sum(len(LIBRARY.strokes(character)) for character in LIBRARY.characters) == 112_617
    assert LIBRARY_FILE.stat().st_size < 6_000_000
    assert LIBRARY_FILE.with_name("ARPHICPL.TXT").read_text("utf-8").startswith("ARPHIC PUBLIC LICENSE")


def test_all_of_gb2312_is_there() -> None:
    rows = [bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)]
    characters = "".join(code.decode("gb2312", "ignore") for code in rows)
    assert len(characters) == 6763
    assert [character for character in characters if character not in LIBRARY] == []


def test_strokes_come_in_order_with_y_down() -> None:
    across, down = LIBRARY.strokes("十")
    assert np.ptp(across[:, 0]) > 3 * np.ptp(across[:, 1])
    assert across[0, 0] < across[-1, 0]
    assert down[0, 1] < down[-1, 1]
    assert across.dtype == np.float32
    for stroke in LIBRARY.strokes("龘"[0] if "龘" in LIBRARY else "鑫"):
        assert stroke.shape[1] == 2
        assert 0 <= stroke.min() <= stroke.max() <= 1


def test_a_character_that_is_lacking_is_named() -> None:
    assert "あ" not in LIBRARY
    with pytest.raises(StrokeLibraryError, match="あ"):
        LIBRARY.strokes("あ")


def test_a_written_library_is_read_back(tmp_path) -> None:
    medians = {"一": [[[0.0, 388.0], [1024.0, 388.0]]], "丨": [[[512.0, 900.0], [512.0, 388.0], [512.0, -124.0]]]}
    write_library(medians, tmp_path / "two.npz")
    read = StrokeLibrary.load(tmp_path / "two.npz")
    assert read.characters == ("一", "丨")
    np.testing.assert_allclose(read.strokes("丨")[0], [[0.5, 0], [0.5, 0.5], [0.5, 1]], atol=0.003)


def test_a_broken_library_says_so(tmp_path) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(StrokeLibraryError, match=r"broken\.npz"):
        StrokeLibrary.load(path)


def test_points_beyond_the_square_stay_bytes() -> None:
    assert quantise(np.array([[-50.0, 950.0], [1100.0, -300.0]])).tolist() == [[0, 0], [255, 255]]


def test_resampling_spaces_evenly_and_keeps_the_ends() -> None:
    corner = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0], [1.0, 1.0]])
    short = np.array([[0.5, 0.5], [0.5, 0.7]])
    even = resample(np.concatenate([corner, short, corner[::-1]]), np.array([4, 2, 4]), 21)
    np.testing.assert_allclose(np.hypot(*np.diff(even[0], axis=0).T), 0.1, atol=1e-6)
    np.testing.assert_allclose(even[:, [0, -1]], [corner[[0, -1]], short, corner[[-1, 0]]])
    np.testing.assert_allclose(even[2], even[0][::-1], atol=1e-6)


def test_many_lines_are_interpolated_as_one_is() -> None:
    random = np.random.default_rng(0)
    steps = random.integers(0, 3, (40, 9)) * random.random((40, 9))  # some points lie on the one before
    along = np.concatenate([np.zeros((40, 1)), steps.cumsum(axis=1)], axis=1)
    values = np.stack([np.sin(3 * along), np.cos(5 * along)], axis=2)
    wanted = np.sort(random.random((40, 7)) * along[:, -1:], axis=1)
    wanted[:, -1] = along[:, -1]
    found = interpolate(wanted, along, values)
    for line in range(40):
        for axis in (0, 1):
            expected = np.interp(wanted[line], along[line], values[line, :, axis])
            np.testing.assert_allclose(found[line, :, axis], expected, atol=1e-12)
