"""The measuring itself: what is counted, and how a text-line model's answer becomes one of characters."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench import development_sets, peers, recognition
from bench.development_sets import DevelopmentSet, MissingSetError, Sample, draw_strokes, read_set
from hanzi_core.bundle import bundle_folder
from hanzi_core.jobs import Job
from tests import handwriting

ROOT = Path(__file__).parents[1]
STROKE = [[100, 500], [900, 500]]


def write_zip(path: Path, labels: str, each: int) -> None:
    blank = cv2.imencode(".png", np.full((20, 30), 255, np.uint8))[1].tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        for label in labels:
            for number in range(each):
                archive.writestr(f"{path.stem}/{label}/{number}.png", blank)
        archive.writestr(f"{path.stem}/readme.txt", "no picture")


def write_drawn(folder: Path) -> None:
    rows = [
        {"char": "一", "source": "native1", "strokes": [STROKE]},
        {"char": "二", "source": "learner1", "strokes": [STROKE, STROKE]},
        {"char": "三", "source": "tomoe", "strokes": [STROKE] * 3},
    ]
    (folder / "drawn_strokes.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))


def test_zipped_set_has_the_folder_as_label_and_the_picture_in_gray(tmp_path: Path) -> None:
    write_zip(tmp_path / "numerals15.zip", "一二", each=3)
    found = read_set("numerals15", tmp_path)
    assert [s.label for s in found.samples] == ["一"] * 3 + ["二"] * 3
    assert found.samples[0].gray.shape == (20, 30)
    assert found.samples[0].strokes is None


def test_a_draw_is_the_same_for_the_same_seed_only(tmp_path: Path) -> None:
    write_zip(tmp_path / "calligraphy100.zip", "一二三四五六七八九十", each=10)
    draws = [[s.label for s in read_set("calligraphy100", tmp_path, 20, seed).samples] for seed in (1, 1, 2)]
    assert len(draws[0]) == 20
    assert draws[0] == draws[1] != draws[2]


def test_drawn_sources_and_characters_are_told_apart(tmp_path: Path) -> None:
    write_drawn(tmp_path)
    assert [s.label for s in read_set("drawn", tmp_path).samples] == ["一", "二"]
    assert [s.label for s in read_set("tomoe", tmp_path).samples] == ["三"]
    assert [s.label for s in read_set("drawn", tmp_path, characters="二").samples] == ["二"]


def test_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSetError, match="penwriting40"):
        read_set("penwriting40", tmp_path)


def test_strokes_are_drawn_with_the_canvas_pen() -> None:
    canvas = draw_strokes([[(250, 500), (750, 500)]])
    ink = canvas < 128
    assert canvas.shape == (384, 384)
    assert abs(int(ink[:, 192].sum()) - development_sets.PEN_PX) <= 1
    assert ink[192, 100] and ink[192, 284] and not ink[192, 80]


def test_a_tap_leaves_a_dot() -> None:
    assert (draw_strokes([[(500, 500)]]) < 128).sum() > 80


def test_ctc_score_takes_the_best_step_and_leaves_the_blank_out() -> None:
    steps = np.array([[[0.9, 0.08, 0.02, 0.0], [0.5, 0.1, 0.3, 0.1], [0.97, 0.01, 0.01, 0.01]]], np.float32)
    scores = peers.score_ctc(steps, np.array([1, 2]))
    np.testing.assert_allclose(scores, [[0.25, 0.75]], rtol=1e-6)


def test_rows_are_ranked_best_first() -> None:
    ranking = peers.rank_rows(np.array([[0.1, 0.6, 0.0, 0.3]], np.float32), "天大太犬", 3)[0]
    assert [label for label, _ in ranking] == ["大", "犬", "天"]
    assert ranking[0][1] == pytest.approx(np.log(0.6), rel=1e-5)


@pytest.mark.parametrize(
    ("text", "expected"), [("永", True), ("〇", True), ("a", False), ("🛁", False), ("永字", False)]
)
def test_only_single_chinese_characters_are_han(text: str, expected: bool) -> None:
    assert peers.is_han(text) == expected


def test_strokes_are_enlarged_and_thinned_for_stroke_readers() -> None:
    line = [(100 + step, 100) for step in range(101)]
    (points,) = peers.prepare_strokes(Sample("一", draw_strokes([line]), [line]))
    assert points == [(100, 500), (900, 500)]


def test_places_are_counted_below_one_five_and_ten() -> None:
    found = recognition.score([0, 4, 5, 9, 10, recognition.POOL])
    assert (found.top1, found.top5, found.top10) == pytest.approx((1 / 6, 2 / 6, 4 / 6))


def test_prior_turns_a_close_call_but_not_a_clear_one() -> None:
    prior = recognition.Prior({"大": -3.0, "犬": -8.0})
    close, clear = [("犬", -0.6), ("大", -0.8)], [("犬", -0.1), ("大", -9.0)]
    assert recognition.reorder(close, prior, 0.1)[0][0] == "大"
    assert recognition.reorder(clear, prior, 0.1)[0][0] == "犬"
    assert recognition.reorder(close, prior, 0.0) == close


class Parrot:
    """Answers the same three candidates whatever it sees."""

    name, needs_strokes, size_mb = "parrot", False, 0.0
    characters = frozenset("大犬太")

    def rank(self, samples, count):
        return [[("大", -0.1), ("犬", -3.0), ("太", -4.0)]] * len(samples)


def test_measurement_tells_what_the_model_could_know() -> None:
    gray = np.full((8, 8), 255, np.uint8)
    found = DevelopmentSet("four", [Sample(label, gray) for label in "大犬天天"])
    row = recognition.measure(Parrot(), found, recognition.Prior(), 0.0)
    assert (row.samples, row.coverage) == (4, 0.5)
    assert (row.plain.top1, row.plain.top5) == (0.25, 0.5)
    assert row.known is not None
    assert (row.known.top1, row.known.top5) == (0.5, 1.0)
    assert "| parrot | 0.0 | four | 4 | 50.0 | 25.0 | 50.0 |" in recognition.markdown([row])


def test_our_bundle_is_measured_like_a_peer(finished_run: Job) -> None:
    reader = recognition.BundleReader(bundle_folder(finished_run))
    random = np.random.default_rng(5)
    drawn = [Sample(label, handwriting.draw(label, random)) for label in handwriting.STROKES]
    row = recognition.measure(reader, DevelopmentSet("ten", drawn), recognition.Prior(), 0.0)
    assert row.coverage == 1
    assert row.plain.top1 >= 0.5
    assert row.plain.top10 == 1
    assert row.ms > 0


def test_traditional_form_counts_only_where_either_does() -> None:
    assert [recognition.right_answer("国", either)("國") for either in (False, True)] == [False, True]
    assert recognition.right_answer("个", True)("箇")
    assert not recognition.right_answer("国", True)("囯王")


def test_paddle_reads_a_drawn_character() -> None:
    pytest.importorskip("rapidocr", reason="bench requirement")
    sample = Sample("十", draw_strokes([[(200, 480), (800, 480)], [(500, 180), (500, 850)]]))
    reader = peers.PaddleReader(accepts="十土王".__contains__)
    probabilities = reader.predict(np.stack([peers.normalise(sample.gray)]))
    assert probabilities.shape == (1, 3)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert reader.rank([sample], 1)[0][0][0] == "十"


def test_missing_peer_is_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)  # how Python marks what cannot be imported
    opened, missing = peers.open_peers(["paddle"])
    assert opened == []
    assert "pip install" in missing[0]


def test_missing_data_is_skipped_not_failed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.recognition", "--data", str(tmp_path / "nothing")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "skipped" in done.stdout
    assert "--data" in done.stderr
