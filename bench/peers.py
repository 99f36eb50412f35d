"""Free recognisers to be measured beside ours, each in its best honest set-up, behind one interface.

    PaddleReader     PP-OCRv6 small recognition (21 MB), from the package ``rapidocr`` 3.10; reads pictures
    DinkitReader     ``dinkit`` 1.3.3; reads strokes
    ZinniaReader     Debian's ``tegaki-zinnia-simplified-chinese`` on ``libzinnia0``; reads strokes

All are optional: each raises :class:`PeerMissingError`, with what to install, where it is not there.
"""

import ctypes
import ctypes.util
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.development_sets import Sample, Strokes
from hanzi_core.image.normalise import normalise

STROKE_FRAME = 1000
"""Side of the square that stroke readers are given strokes in."""

Ranking = list[tuple[str, float]]
"""Candidates of one character, best first, each with a score in the unit of a log-probability."""


class PeerMissingError(Exception):
    """A peer is not installed; the text says how to."""


class Recogniser(Protocol):
    """Anything that can be measured."""

    name: str
    needs_strokes: bool
    size_mb: float
    characters: frozenset[str]
    """Every class that it can answer; empty where it does not tell."""

    def rank(self, samples: Sequence[Sample], count: int) -> list[Ranking]:
        """The ``count`` best candidates of each sample."""


def is_han(character: str) -> bool:
    """Whether ``character`` is one Chinese character (Unicode's unified ideographs and 〇)."""
    if len(character) != 1:
        return False
    point = ord(character)
    return character == "〇" or 0x3400 <= point <= 0x4DBF or 0x4E00 <= point <= 0x9FFF or 0x20000 <= point <= 0x323AF


def rank_rows(probabilities: NDArray[np.float32], labels: Sequence[str], count: int) -> list[Ranking]:
    """The ``count`` best of each row of ``(n, classes)``, with the logarithm of their probability."""
    count = min(count, probabilities.shape[1])
    best = np.argpartition(-probabilities, count - 1, axis=1)[:, :count]
    rankings = []
    for row, places in zip(probabilities, best, strict=True):
        ordered = places[np.argsort(-row[places], kind="stable")]
        rankings.append([(labels[place], float(np.log(max(row[place], 1e-30)))) for place in ordered])
    return rankings


def score_ctc(steps: NDArray[np.float32], classes: NDArray[np.intp]) -> NDArray[np.float32]:
    """Probabilities of one character from a text-line model: each class by its best time step.

    Greedy CTC decoding (Graves et al. 2006) would answer nothing where the blank wins every step, and two characters
    where a wide one falls apart; a single character is known to be there.

    Args:
        steps: ``(n, steps, outputs)``, probabilities with the blank.
        classes: Outputs that count; the blank and whatever is no character are left out.

    Returns:
        ``(n, len(classes))``, each row sums to 1.
    """
    best = steps[:, :, classes].max(axis=1)
    return best / np.maximum(best.sum(axis=1, keepdims=True), 1e-30)


class PaddleReader:
    """PP-OCRv6 small, a text-line model, shown one character.

    Each character is shown four times, at 0.6 and 0.8 of the line's height in a line once and 4/3 as long as high, and
    each class keeps its best probability.
    """

    name = "PP-OCRv6 small (rapidocr 3.10)"
    needs_strokes = False
    LINE_HEIGHT_PX = 48
    VIEWS = ((0.6, 48), (0.8, 48), (0.6, 64), (0.8, 64))
    """(share of the height, length of the line in px)."""
    INK_SIDE_SHARE = 7 / 8
    """Our normalisation leaves 1/16 free on each edge, which is cut before the ink is scaled."""
    SOFTNESS_PX = 0.8
    """It learned from photos, not from crisp ink: this blur took one view from 65.5 to 69 % of 200 characters of
    penwriting40 and from 83.5 to 85.5 % of 200 of calligraphy100."""

    def __init__(
        self,
        threads: int = 1,
        accepts: Callable[[str], bool] = is_han,
        views: Sequence[tuple[float, int]] = VIEWS,
    ) -> None:
        """Load the model.

        Args:
            threads: CPU threads.
            accepts: Which of the 18,710 classes are open.
            views: How each character is shown, see :attr:`VIEWS`; one view is four times as fast.

        Raises:
            PeerMissingError: ``rapidocr`` or ``onnxruntime`` is not installed.
        """
        self._views = tuple(views)
        file = _paddle_file()
        self.size_mb = file.stat().st_size / 1e6
        self._session = _open_onnx(file, threads)
        listed = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        outputs = ["", *listed, " "]  # PaddleOCR puts the blank first and the space last
        self._classes = np.array([place for place, label in enumerate(outputs) if len(label) == 1 and accepts(label)])
        self.labels = [outputs[place] for place in self._classes]
        self.characters = frozenset(self.labels)

    def predict(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities over :attr:`labels`.

        Args:
            glyphs: ``(n, size, size)``, as :func:`hanzi_core.image.normalise.normalise` makes them: white ink on black.

        Returns:
            ``float32 (n, len(labels))``, each row sums to 1.
        """
        views = [self._predict_view(glyphs, share, length_px) for share, length_px in self._views]
        best = np.maximum.reduce(views)
        return best / best.sum(axis=1, keepdims=True)

    def rank(self, samples: Sequence[Sample], count: int) -> list[Ranking]:
        """See :class:`Recogniser`."""
        return rank_rows(self.predict(np.stack([normalise(s.gray) for s in samples])), self.labels, count)

    def _predict_view(self, glyphs: NDArray[np.uint8], share: float, length_px: int) -> NDArray[np.float32]:
        line = np.stack([self._place(glyph, round(self.LINE_HEIGHT_PX * share), length_px) for glyph in glyphs])
        pixels = np.repeat(1 - line[:, None] / np.float32(127.5), 3, axis=1)  # black on white, -1..1, as it was trained
        return score_ctc(self._session.run(None, {"x": pixels})[0], self._classes)

    def _place(self, glyph: NDArray[np.uint8], side_px: int, length_px: int) -> NDArray[np.uint8]:
        margin = round(len(glyph) * (1 - self.INK_SIDE_SHARE) / 2)
        ink = cv2.resize(
            cv2.GaussianBlur(glyph, (3, 3), self.SOFTNESS_PX)[
                margin : len(glyph) - margin, margin : len(glyph) - margin
            ],
            (side_px, side_px),
            interpolation=cv2.INTER_AREA,
        )
        line = np.zeros((self.LINE_HEIGHT_PX, length_px), np.uint8)
        top, left = (self.LINE_HEIGHT_PX - side_px) // 2, (length_px - side_px) // 2
        line[top : top + side_px, left : left + side_px] = ink
        return line


def _paddle_file() -> Path:
    try:
        import rapidocr  # noqa: PLC0415  optional
    except ImportError as error:
        raise PeerMissingError("rapidocr is missing: pip install -r requirements-bench.txt") from error
    path = Path(rapidocr.__file__).parent / "models" / "PP-OCRv6_rec_small.onnx"
    if not path.is_file():
        raise PeerMissingError("this rapidocr carries no PP-OCRv6 small: pip install rapidocr==3.10.0")
    return path


def _open_onnx(path: Path, threads: int) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  optional
    except ImportError as error:
        raise PeerMissingError("onnxruntime is missing: pip install -r requirements-bench.txt") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class DinkitReader:
    """``dinkit``: a small C library that matches strokes."""

    name = "dinkit 1.3.3"
    needs_strokes = True
    characters: frozenset[str] = frozenset()
    CANDIDATE_LIMIT = 128
    COST_UNIT = 300.0
    """Costs over this are log-probabilities, by likelihood on 600 drawn characters; only a prior is moved by it."""

    def __init__(self) -> None:
        try:
            import dinkit  # noqa: PLC0415  optional
        except (ImportError, OSError) as error:
            raise PeerMissingError("dinkit is missing: pip install -r requirements-bench.txt") from error
        self._engine = dinkit.Recognizer()
        self.size_mb = sum(file.stat().st_size for file in (Path(dinkit.__file__).parent / "lib").iterdir()) / 1e6

    def rank(self, samples: Sequence[Sample], count: int) -> list[Ranking]:
        """See :class:`Recogniser`."""
        return [self._rank_strokes(prepare_strokes(sample), min(count, self.CANDIDATE_LIMIT)) for sample in samples]

    def _rank_strokes(self, strokes: Strokes, count: int) -> Ranking:
        costs = self._engine.recognize(strokes, top_k=count)
        return sorted(((label, -cost / self.COST_UNIT) for label, cost in costs.items()), key=lambda pair: -pair[1])


class ZinniaReader:
    """Zinnia (linear support vector machines on stroke features) with the simplified Chinese model of Tegaki."""

    name = "zinnia, tegaki simplified Chinese"
    needs_strokes = True
    MODEL = Path("/usr/share/tegaki/models/zinnia/handwriting-zh_CN.model")
    MARGIN_UNIT = 0.15
    """As for dinkit's costs, but of margins."""

    def __init__(self) -> None:
        """Open library and model.

        Raises:
            PeerMissingError: Debian's packages are not installed.
        """
        self._zinnia = _load_zinnia()
        self._engine = self._zinnia.zinnia_recognizer_new()
        if not self._zinnia.zinnia_recognizer_open(self._engine, str(self.MODEL).encode()):
            raise PeerMissingError(
                f"{self.MODEL} is missing: apt-get install libzinnia0 tegaki-zinnia-simplified-chinese"
            )
        self.size_mb = self.MODEL.stat().st_size / 1e6
        classes = range(self._zinnia.zinnia_recognizer_size(self._engine))
        self.characters = frozenset(self._zinnia.zinnia_recognizer_value(self._engine, k).decode() for k in classes)

    def rank(self, samples: Sequence[Sample], count: int) -> list[Ranking]:
        """See :class:`Recogniser`."""
        return [self._rank_strokes(prepare_strokes(sample), count) for sample in samples]

    def _rank_strokes(self, strokes: Strokes, count: int) -> Ranking:
        zinnia = self._zinnia
        character = zinnia.zinnia_character_new()
        zinnia.zinnia_character_set_width(character, STROKE_FRAME)
        zinnia.zinnia_character_set_height(character, STROKE_FRAME)
        for place, stroke in enumerate(strokes):
            for x, y in stroke:
                zinnia.zinnia_character_add(character, place, x, y)
        result = zinnia.zinnia_recognizer_classify(self._engine, character, count)
        found = range(zinnia.zinnia_result_size(result)) if result else range(0)
        ranking = [
            (zinnia.zinnia_result_value(result, k).decode(), zinnia.zinnia_result_score(result, k) / self.MARGIN_UNIT)
            for k in found
        ]
        if result:
            zinnia.zinnia_result_destroy(result)
        zinnia.zinnia_character_destroy(character)
        return ranking


def _load_zinnia() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(ctypes.util.find_library("zinnia") or "libzinnia.so.0")
    except OSError as error:
        raise PeerMissingError(
            "zinnia is missing: apt-get install libzinnia0 tegaki-zinnia-simplified-chinese"
        ) from error
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    signatures: dict[str, tuple[object, list[object]]] = {
        "recognizer_new": (pointer, []),
        "recognizer_open": (ctypes.c_int, [pointer, text]),
        "recognizer_size": (size, [pointer]),
        "recognizer_value": (text, [pointer, size]),
        "recognizer_classify": (pointer, [pointer, pointer, size]),
        "character_new": (pointer, []),
        "character_destroy": (None, [pointer]),
        "character_set_width": (None, [pointer, size]),
        "character_set_height": (None, [pointer, size]),
        "character_add": (ctypes.c_int, [pointer, size, ctypes.c_int, ctypes.c_int]),
        "result_size": (size, [pointer]),
        "result_value": (text, [pointer, size]),
        "result_score": (ctypes.c_float, [pointer, size]),
        "result_destroy": (None, [pointer]),
    }
    for name, (returns, takes) in signatures.items():
        function = getattr(library, f"zinnia_{name}")
        function.restype, function.argtypes = returns, takes
    return library


def prepare_strokes(sample: Sample) -> Strokes:
    """Strokes as both stroke readers like them best: as large as 0.8 of the frame, with few points.

    Without it, dinkit reads 75 instead of 83 % of 300 drawn characters and zinnia 43 instead of 49 %: a tablet's many
    points a stroke are not what they were made for.
    """
    if sample.strokes is None:
        raise ValueError(f"{sample.label}: no strokes to read")
    points = np.concatenate([np.asarray(stroke, np.float32) for stroke in sample.strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.8 * STROKE_FRAME / max(float((high - low).max()), 1.0)
    shift = STROKE_FRAME / 2 - (low + high) / 2 * scale
    return [_simplify_line(np.asarray(stroke, np.float32) * scale + shift) for stroke in sample.strokes]


def _simplify_line(points: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Points of a line that stays within 2 % of the frame of the old one (Douglas & Peucker 1973)."""
    kept = cv2.approxPolyDP(points.astype(np.float32)[:, None], 0.02 * STROKE_FRAME, False)[:, 0]
    return [(int(x), int(y)) for x, y in np.rint(kept)]


PEERS: dict[str, Callable[[], Recogniser]] = {
    "paddle": PaddleReader,
    "dinkit": DinkitReader,
    "zinnia": ZinniaReader,
}


def open_peers(names: Collection[str]) -> tuple[list[Recogniser], list[str]]:
    """The peers called ``names`` that are installed, and a line about each that is not."""
    opened, missing = [], []
    for name in names:
        try:
            opened.append(PEERS[name]())
        except PeerMissingError as error:
            missing.append(f"{name} left out: {error}")
    return opened, missing
