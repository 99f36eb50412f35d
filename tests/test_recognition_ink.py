import numpy as np
import pytest

from hanzi_core.recognition.ink import Stroke, draw_strokes
from pages.parts.drawing import Drawing


def path(*points: tuple[float, float]) -> dict[str, object]:
    """A fabric.Path as the canvas tells it: a move, lines, and the box around its middle line."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    commands = [["M", *points[0]], *(["L", *point] for point in points[1:])]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    place = {"left": min(xs) - 7.0, "top": min(ys) - 7.0, "width": width, "height": height}
    return {"type": "Path", "path": commands, "strokeWidth": 14, **place}


ACROSS, DOWN = path((100, 200), (300, 200)), path((200, 50), (200, 400))


def told(*objects: dict[str, object]) -> dict[str, object]:
    return {"version": "7", "objects": list(objects)}


def test_strokes_are_drawn_where_the_pen_was() -> None:
    paper = draw_strokes([Stroke(np.array([[50, 100], [150, 100]], np.float32), 10)], 200)
    assert paper[100, 100] == 0 and paper[104, 100] == 0 and paper[110, 100] == 255
    assert draw_strokes([Stroke(np.array([[50, 50]], np.float32), 10)], 100)[50, 50] == 0  # a dot is ink as well


def test_undo_and_redo_go_through_the_strokes() -> None:
    drawing = Drawing()
    drawing.hear(told(ACROSS))
    drawing.hear(told(ACROSS, DOWN))
    drawing.undo()
    assert drawing.start["objects"] == drawing.objects == [ACROSS]
    drawing.redo()
    assert drawing.objects == [ACROSS, DOWN]
    drawing.clear()
    assert drawing.objects == []
    drawing.redo()
    assert drawing.objects == [ACROSS]


def test_what_the_canvas_tells_back_changes_nothing_however_late_it_comes() -> None:
    drawing = Drawing()
    drawing.hear(told(ACROSS, DOWN))
    drawing.undo()
    drawing.redo()
    drawing.hear(told(ACROSS))  # the echo of undo, after redo
    assert drawing.objects == [ACROSS, DOWN]
    drawing.hear(told(ACROSS, DOWN))
    assert drawing.objects == [ACROSS, DOWN]


def test_a_new_stroke_ends_what_could_be_redone() -> None:
    drawing = Drawing()
    drawing.hear(told(ACROSS, DOWN))
    drawing.undo()
    drawing.hear(told(ACROSS))
    assert drawing.undone == [DOWN]
    drawing.hear(told(ACROSS, path((10, 10), (20, 20))))
    assert drawing.undone == []


def test_the_same_start_twice_is_told_apart() -> None:
    drawing = Drawing()
    drawing.hear(told(ACROSS))
    drawing.clear()
    first = drawing.start
    drawing.hear(told(DOWN))
    drawing.clear()
    assert drawing.start != first  # or the canvas would not clear a second time


@pytest.mark.parametrize("corner", ["left", "center"])
def test_strokes_are_read_from_either_origin(corner: str) -> None:
    each = dict(ACROSS)
    if corner == "center":
        each |= {"originX": "center", "originY": "center", "left": 200, "top": 200}
    drawing = Drawing()
    drawing.hear(told(each))
    np.testing.assert_allclose(drawing.strokes()[0].points, [[100, 200], [300, 200]], atol=0.5)
    assert drawing.strokes()[0].width_px == 14


def test_a_stroke_that_was_turned_and_scaled_on_the_canvas() -> None:
    each = {**ACROSS, "originX": "center", "originY": "center", "left": 200, "top": 200, "angle": 90, "scaleX": 0.5}
    drawing = Drawing()
    drawing.hear(told(each))
    np.testing.assert_allclose(drawing.strokes()[0].points, [[200, 150], [200, 250]], atol=0.5)


def test_an_undo_that_crosses_a_stroke_on_the_way_takes_back_that_stroke() -> None:
    drawing = Drawing()
    drawing.hear(told(ACROSS))
    drawing.undo()  # while the second stroke, which the hand saw on the pad, was on its way
    assert drawing.hear(told(ACROSS, DOWN))
    assert drawing.objects == [ACROSS] and drawing.undone == [DOWN]
    assert not drawing.hear(told())  # the echo of the first undo
    assert drawing.objects == [ACROSS] and drawing.undone == [DOWN]
    assert not drawing.hear(told(ACROSS))
    assert drawing.objects == [ACROSS]


def test_what_is_taken_holds_a_stroke_that_was_still_on_its_way() -> None:
    drawing, taken = Drawing(), []
    drawing.take(taken.append)
    assert taken == [], "an empty pad is not taken"
    drawing.hear(told(ACROSS))
    drawing.take(taken.append)
    assert [len(strokes) for strokes in taken] == [1] and drawing.objects == []
    assert drawing.hear(told(ACROSS, DOWN))  # the second stroke had been drawn before the button was pressed
    assert [len(strokes) for strokes in taken] == [1, 2] and drawing.objects == []
    drawing.hear(told())
    drawing.hear(told(DOWN))
    assert len(taken) == 2, "the next drawing is another"
