import pandas as pd
import pytest

from hanzi_core.charts.curves import COLOURS
from hanzi_core.charts.distribution import class_histogram, value_histogram


def test_a_class_is_pointed_at() -> None:
    figure = class_histogram(pd.Series({"小": 2, "大": 9, "中": 5}), marked="中")
    assert [shape.x0 for shape in figure.layout.shapes] == [1], "the second of the categories"
    assert figure.layout.annotations[0].text == "中 · 5"
    many = class_histogram(pd.Series(1, index=[chr(0x4E00 + number) for number in range(500)]), marked="丁")
    assert [shape.x0 for shape in many.layout.shapes] == [2], "the second of the places"
    assert not class_histogram(pd.Series({"小": 2}), marked="无").layout.shapes


def test_the_colours_are_those_of_every_chart() -> None:
    for figure in (class_histogram(pd.Series({"小": 2}), marked="小"), value_histogram(pd.Series([1, 2]), "px")):
        assert list(figure.layout.colorway) == COLOURS
        assert all(shape.line.color in COLOURS for shape in figure.layout.shapes)
    outline = class_histogram(pd.Series(1, index=[chr(0x4E00 + number) for number in range(500)])).data[0]
    assert outline.fillcolor == COLOURS[0], "as bars, not half transparent as plotly fills"


def test_values_are_binned_before_they_are_sent() -> None:
    bars = value_histogram(pd.Series(range(100_000)), "px", bins=20).data[0]
    assert len(bars.y) == 20
    assert sum(bars.y) == 100_000


def test_one_value_alone() -> None:
    assert sum(value_histogram(pd.Series([64, 64]), "px").data[0].y) == 2


def test_a_long_name_shows_its_beginning_and_no_name_is_a_tag() -> None:
    figure = class_histogram(pd.Series({"很长的类名" * 16: 2, "<b>": 1}), marked="<b>")
    shown = [figure.layout.xaxis.labelalias[name] for name in figure.data[0].x]
    assert shown == ["很长的类名很长…", "&lt;b&gt;"]
    assert figure.layout.xaxis.ticklabeloverflow == "allow"  # else plotly leaves out one that juts out
    assert figure.layout.annotations[0].text == "&lt;b&gt; · 1"
    assert list(figure.data[0].customdata) == ["很长的类名" * 16, "&lt;b&gt;"]


@pytest.mark.parametrize(("other", "angle"), [("口", 0), ("a word", None)])
def test_characters_stand_upright_and_those_without_room_are_left_out(other: str, angle: int | None) -> None:
    axis = class_histogram(pd.Series({"人": 2, "木": 2, other: 1})).layout.xaxis
    assert axis.type == "category"
    assert axis.tickvals is None, "plotly leaves out none of those that it is told to show"
    assert axis.tickangle == angle


def test_one_value_far_above_the_others_does_not_squeeze_them() -> None:
    figure = value_histogram(pd.Series([*range(60, 160), 20_000]), "px", bins=10)
    (bars,) = figure.data
    assert list(bars.y) == [10] * 10 + [1]
    assert max(bars.x) < 170
    assert bars.customdata[-1] == "20000 – 20000"
    assert figure.layout.xaxis.title.text == "px; the last bar: up to 20,000"


def test_values_of_all_sizes_are_shown_as_they_are() -> None:
    figure = value_histogram(pd.Series([*range(60, 160), *range(1000, 1020)]), "px")
    assert sum(figure.data[0].y) == 120
    assert figure.layout.xaxis.title.text == "px"
