import shutil
from pathlib import Path

import numpy as np
import pytest

from hanzi_core.bundle import bundle_folder
from hanzi_core.errors import BundleError
from hanzi_core.jobs import Job
from hanzi_core.recognition import Recogniser
from hanzi_core.recognition.explanation import PLACES, LookAlikes, heat_picture, occlusion_map
from tests.handwriting import draw


def test_ink_matters_more_than_empty_paper(finished_run: Job) -> None:
    recogniser = Recogniser.open(bundle_folder(finished_run))
    seen = recogniser.see(draw("十", np.random.default_rng(1)))
    heat = occlusion_map(recogniser, seen, "十")
    assert heat.shape == (PLACES, PLACES)
    corners = np.abs(heat[[0, 0, -1, -1], [0, -1, 0, -1]])
    assert np.abs(heat).max() > 3 * corners.max()
    assert heat_picture(seen, heat, 90).shape == (90, 90, 3)


def test_look_alikes_are_other_labels(finished_run: Job) -> None:
    recogniser = Recogniser.open(bundle_folder(finished_run))
    dimensions = recogniser.predict(np.zeros((1, 64, 64), np.uint8)).embedding.shape[1]
    alike = LookAlikes(recogniser.bundle, dimensions)
    found = alike.of("大", 9)
    assert set(found) == set(recogniser.bundle.labels) - {"大"}
    assert alike.of("☃") == []
    assert LookAlikes(recogniser.bundle, dimensions + 1).of("大") == []  # a last layer of another shape


def test_a_model_that_was_deleted_since_says_so(finished_run: Job, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle_folder(finished_run), tmp_path / "mine"))
    bundle = Recogniser.open(folder).bundle
    shutil.rmtree(folder)
    with pytest.raises(BundleError, match="mine cannot be read: it may have been deleted"):
        LookAlikes(bundle, 256)
