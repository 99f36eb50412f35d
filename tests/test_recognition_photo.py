from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hanzi_core.errors import ImageError
from hanzi_core.recognition import PLAIN, Recogniser
from hanzi_core.recognition.batch import pictures_at, recognise_all
from hanzi_core.recognition.photo import inks_alone, open_picture, read_photos
from tests.written_page import darkened, write

TEXT = "永国春明学校家风"


def photos(light: float = 1.0, ruled: bool = False) -> list[NDArray[np.uint8]]:
    """One character each on 600 pixels of paper, the light falling off from the right to the left."""
    random = np.random.default_rng(0)
    found = []
    for ink in write(TEXT, 0, 300):
        paper = np.full((600, 600), 230.0)
        height, width = ink.shape
        paper[150 : 150 + height, 150 : 150 + width] -= ink * 0.8
        if ruled:
            for top in range(30, 600, 80):
                paper[top : top + 2] = np.minimum(paper[top : top + 2], 150)
        paper = paper * np.linspace(light, 1, 600) + random.normal(0, 2, paper.shape)
        found.append(paper.clip(0, 255).astype(np.uint8))
    return found


def on_a_desk(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    desk = cv2.copyMakeBorder(gray, 130, 130, 200, 200, cv2.BORDER_CONSTANT, value=90)
    return cv2.warpAffine(desk, cv2.getRotationMatrix2D((500, 430), 3, 1), desk.shape[::-1], borderValue=90)


def right(built_in: Recogniser, pictures: list[NDArray[np.uint8]]) -> int:
    found = read_photos(built_in, pictures, PLAIN)
    return sum(each.answer.candidates[0].label == label for each, label in zip(found, TEXT, strict=True))


@pytest.mark.parametrize(("light", "ruled", "before"), [(0.6, False, 4), (0.4, False, 3), (1.0, True, 7)])
def test_a_shaded_or_ruled_photo_is_read_by_its_ink(
    built_in: Recogniser, light: float, ruled: bool, before: int
) -> None:
    pictures = photos(light, ruled)
    raw = built_in.answer([built_in.see(each) for each in pictures], PLAIN)
    assert sum(each.candidates[0].label == label for each, label in zip(raw, TEXT, strict=True)) <= before
    assert right(built_in, pictures) == len(TEXT)


@pytest.mark.parametrize("edge", ["hand", "lens", "frame"])
def test_a_dark_edge_makes_no_light_ink(built_in: Recogniser, edge: str) -> None:
    """At first the paper is taken for the ink: two, seven and none of eight were right."""
    pictures = [darkened(each, edge) for each in photos()]
    assert right(built_in, pictures) == len(TEXT)


@pytest.mark.parametrize("board", [0, 60, 90])
def test_light_ink_is_still_read(built_in: Recogniser, board: int) -> None:
    chalk = [(board + (230 - each.astype(float)) * 0.7).clip(0, 255).astype(np.uint8) for each in photos()]
    assert right(built_in, chalk) == len(TEXT)


def test_what_is_read_for_sure_stays_as_it_is(built_in: Recogniser) -> None:
    pictures = photos()
    found = read_photos(built_in, pictures, PLAIN)
    assert [each.picture is picture for each, picture in zip(found, pictures, strict=True)].count(True) >= 7
    assert right(built_in, pictures) >= 7


def test_a_scan_is_no_photo() -> None:
    assert inks_alone(np.full((299, 299), 255, np.uint8)) == []
    assert inks_alone(np.full((400, 400), 255, np.uint8)) == []  # nothing is written on it


def test_a_blank_photo_has_no_answer(built_in: Recogniser) -> None:
    (found,) = read_photos(built_in, [np.full((400, 400), 255, np.uint8)], PLAIN)
    assert found.answer.candidates == ()
    assert read_photos(built_in, [], PLAIN) == []


def test_files_are_read_as_the_page_reads_one(built_in: Recogniser, tmp_path: Path) -> None:
    for number, picture in enumerate(photos()):
        cv2.imwrite(str(tmp_path / f"{number}.png"), on_a_desk(picture))
    paths = sorted(tmp_path.iterdir())
    table = [answer.candidates[0].label for _, answer in recognise_all(built_in, pictures_at(paths), PLAIN)]
    single = [
        read_photos(built_in, [open_picture(path.read_bytes(), path.name)], PLAIN)[0].answer.candidates[0].label
        for path in paths
    ]
    assert table == single
    assert sum(label == written for label, written in zip(table, TEXT, strict=True)) >= 7


def test_a_large_picture_is_opened_no_larger_than_is_of_use(tmp_path: Path) -> None:
    place = tmp_path / "a.png"
    cv2.imwrite(str(place), np.full((2000, 3000), 255, np.uint8))
    assert open_picture(place.read_bytes(), place.name).shape == (1067, 1600)
    with pytest.raises(ImageError):
        open_picture(b"nothing", "b.png")
