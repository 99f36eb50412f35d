"""Which samples are taught, and which must be kept."""

import numpy as np

from bench.development_sets import DevelopmentSet, Sample
from bench.fine_tuning import choose


def test_misread_and_new_are_taught_and_the_rest_has_a_class() -> None:
    samples = [Sample(label, np.zeros((2, 2), np.uint8)) for label in "一二三駅一駅発坂"]
    right = [True, False, False, False, True, False, False, False]
    lesson = choose(DevelopmentSet("drawn", samples), right, {"一": 0, "二": 1, "三": 2, "坂": 3}, 1, 1)
    assert lesson.taught == [samples[1], samples[3]]
    assert lesson.rest == [samples[0], samples[2], samples[4], samples[7]]
    assert choose(DevelopmentSet("other", samples), right, {"坂": 3}, 1, 0).taught == [samples[7]]
