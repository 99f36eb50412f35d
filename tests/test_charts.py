import numpy as np
import pandas as pd
import pytest

from hanzi_core.charts.curves import COLOURS, POINT_LIMIT, Axis, compared_curves, learning_curves
from hanzi_core.charts.distribution import class_histogram, value_histogram
from hanzi_core.charts.heatmap import confusion_heatmap


def test_histogram_is_sorted_and_names_its_classes() -> None:
    bars = class_histogram(pd.Series({"小": 2, "大": 9, "中": 5})).data[0]
    assert list(bars.y) == [9, 5, 2]
    assert list(bars.customdata) == ["大", "中", "小"]


def test_histogram_can_be_logarithmic() -> None:
    assert class_histogram(pd.Series({"小": 2}), logarithmic=True).layout.yaxis.type == "log"


def test_histogram_of_thousands_is_one_shape() -> None:
    counts = pd.Series({chr(0x4E00 + place): place % 7 + 1 for place in range(7000)})
    figure = class_histogram(counts, marked="一")
    (outline,) = figure.data
    assert outline.type == "scatter"
    assert list(outline.y[[0, -1]]) == [7, 1]
    assert outline.customdata[0] == counts.idxmax()
    assert figure.layout.annotations[0].text == "一 · 1"


def test_values_are_binned_and_one_alone_is_named() -> None:
    assert list(value_histogram(pd.Series([0, 0, 10]), "px", bins=2).data[0].y) == [2, 1]
    assert value_histogram(pd.Series([64, 64]), "px").layout.xaxis.tickvals == (64,)
    assert value_histogram(pd.Series([11.76758]), "%").layout.xaxis.ticktext == ("11.77",)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_no_axis_has_a_fifth_of_a_picture(logarithmic: bool) -> None:
    assert class_histogram(pd.Series({"小": 1, "大": 2}), logarithmic).layout.yaxis.tickvals == (0, 1, 2)
    assert class_histogram(pd.Series({"小": 1, "大": 9}), logarithmic).layout.yaxis.tickvals is None
    assert value_histogram(pd.Series([64, 70]), "px").layout.yaxis.tickvals == (0, 1)


@pytest.mark.parametrize("figure_of", ["loss", "accuracy"])
def test_curves_show_training_and_validation(figure_of: str) -> None:
    rows = [
        {"kind": "step", "epoch": 0.5, "loss": 3.0, "accuracy": 0.1},
        {"kind": "epoch", "epoch": 1, "loss": 2.0, "accuracy": 0.4, "val_loss": 2.2, "val_accuracy": 0.3},
    ]
    curves = {curve.name: list(curve.y) for curve in learning_curves(rows, figure_of).data}
    assert curves["training"] == [rows[1][figure_of]]
    assert curves["validation"] == [rows[1][f"val_{figure_of}"]]


@pytest.mark.parametrize("paper", [(255, 255, 255), (0x17, 0x16, 0x13)], ids=["light", "dark"])
def test_every_curve_stands_out_from_the_page(paper: tuple[int, int, int]) -> None:
    """By the contrast that WCAG 2.2, 1.4.11, asks of graphics: 3 to 1."""

    def luminance(rgb: tuple[int, ...]) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in COLOURS:
        of_curve, of_paper = luminance(tuple(bytes.fromhex(colour[1:]))), luminance(paper)
        contrast = (max(of_curve, of_paper) + 0.05) / (min(of_curve, of_paper) + 0.05)
        assert contrast >= 3, f"{colour}: {contrast:.2f}"


@pytest.mark.parametrize("count", [999, 10_000])
def test_curves_of_a_long_run_are_thinned_and_keep_their_end(count: int) -> None:
    rows = [{"kind": "epoch", "epoch": n, "loss": float(n), "val_loss": float(n)} for n in range(count)]
    curve = next(curve for curve in learning_curves(rows, "loss").data if curve.name == "training")
    assert len(curve.x) <= POINT_LIMIT + 2
    assert curve.x[-1] == count - 1


def test_a_run_whose_name_looks_like_a_tag_is_named() -> None:
    (curve,) = compared_curves({"<b>": [{"kind": "epoch", "epoch": 1, "val_loss": 2.0}]}, "loss", Axis.EPOCH).data
    assert curve.name == "&lt;b&gt;"


def test_curves_of_nothing() -> None:
    assert all(len(curve.x) == 0 for curve in learning_curves([], "loss").data)


def test_heatmap_colours_mistakes_only() -> None:
    matrix = pd.DataFrame([[8, 2], [0, 5]], index=["人", "入"], columns=["人", "入"])
    heat = confusion_heatmap(matrix, pd.Series({"入": 5, "人": 20})).data[0]
    assert np.isnan(heat.z[0][0]) and np.isnan(heat.z[1][1])
    assert heat.z[0][1] == pytest.approx(0.1), "of 20, ten of which were taken for what is not shown"


def test_heatmap_without_a_mistake() -> None:
    matrix = pd.DataFrame([[8]], index=["人"], columns=["人"])
    assert confusion_heatmap(matrix, pd.Series({"人": 8})).data[0].zmax == 1


def test_heatmap_has_room_for_each_name_on_any_screen() -> None:
    labels = [chr(0x4E00 + place) for place in range(50)]
    counts = pd.DataFrame(1, index=labels[:20], columns=labels)
    layout = confusion_heatmap(counts, pd.Series(3, labels)).layout
    assert layout.width >= 50 * 14 and 20 * 14 <= layout.height < layout.width
    assert list(layout.xaxis.ticktext) == labels and list(layout.yaxis.ticktext) == labels[:20]
    assert layout.dragmode is False, "a finger scrolls"


def test_heatmap_shortens_long_names_and_keeps_them_apart() -> None:
    labels = ["character_0001", "character_0002"]
    figure = confusion_heatmap(pd.DataFrame(1, index=labels, columns=labels), pd.Series(3, labels))
    assert list(figure.data[0].x) == labels
    assert list(figure.layout.xaxis.ticktext) == ["charact…", "charact…"]
    assert figure.layout.xaxis.tickangle == -90


def test_heatmap_shows_a_name_that_looks_like_a_tag() -> None:
    heat = confusion_heatmap(pd.DataFrame([[0]], index=["<b>"], columns=["<b>"]), pd.Series({"<b>": 1})).data[0]
    assert list(heat.x) == list(heat.y) == ["&lt;b&gt;"]


def test_heatmap_names_its_rows_within() -> None:
    """On a phone a row's name at the left is out of sight once one has moved to its mistakes."""
    matrix = pd.DataFrame(1, index=["人", "<", "zhang 張"], columns=["人", "入", "<", "zhang 張"])
    _heat, names = confusion_heatmap(matrix, pd.Series(3, matrix.columns)).data
    assert names.x == names.y == ("人", "&lt;", "zhang 張")
    assert names.text == ("人", "&lt;", "")


def test_heatmap_is_as_large_as_its_cells() -> None:
    layout = confusion_heatmap(
        pd.DataFrame(1, index=list("人入"), columns=list("人入木")), pd.Series(3, list("人入"))
    ).layout
    assert layout.xaxis.range == (-0.5, 2.5)
    assert layout.yaxis.range == (1.5, -0.5), "the first row is at the top"
