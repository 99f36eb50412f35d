"""How sure a model may be of its answers, by pictures that it was not trained on."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hanzi_core.bundle import Bundle, Card
from hanzi_core.jobs.devices import cores
from hanzi_core.training.input import Material

_PICTURES = 1000
"""As many say enough; a large network takes a minute for them."""
_BATCH = 64
_SPREAD = 0.5
"""Of the logarithm of temperatures, before anything was seen: a dozen pictures read right are no reason for any."""
_DOUBTED = 0.1
"""Share of what is read right that is doubted, so that a character which is none of the classes seldom passes for one:
``python -m bench.calibration``."""
_LEAST_PROBABILITY = 1e-38


def calibrated(bundle: Bundle, material: Material) -> Card:
    """The card of ``bundle``, as it is served, with the temperature and least evidence that its validation asks for."""
    model = replace(bundle, card=bundle.card.model_copy(update={"temperature": 1.0})).load(threads=cores())
    rows = material.validation
    rows = rows[np.linspace(0, len(rows) - 1, min(_PICTURES, len(rows))).astype(int)]
    found = [model.predict(material.pack[rows[first : first + _BATCH]]) for first in range(0, len(rows), _BATCH)]
    targets = material.targets[rows]
    logits = np.log(np.maximum(np.concatenate([each.probabilities for each in found]), _LEAST_PROBABILITY))
    temperature = best_temperature(logits, targets)
    right = logits.argmax(axis=1) == targets
    evidence = np.concatenate([each.evidence for each in found]) / temperature
    floor = float(np.quantile(evidence[right], _DOUBTED)) if right.any() else 0.0
    floor = math.floor(100 * floor) / 100  # rounded up, it would doubt more of a few pictures that are much alike
    return bundle.card.model_copy(update={"temperature": temperature, "least_evidence": floor})


def best_temperature(logits: NDArray[np.float32], targets: NDArray[np.integer]) -> float:
    """The most likely temperature by ``logits (n, classes)`` of pictures whose classes are ``targets``.

    That is the one of least negative log-likelihood (Guo et al. 2017, arXiv 1706.04599), but that few pictures do not
    lead far from 1. What is added to all logits of a picture does not matter: log-probabilities do as well.
    """
    own = logits[np.arange(len(targets)), targets]

    def loss(temperature: float) -> float:
        scaled = logits / np.float32(temperature)
        peak = scaled.max(axis=1)
        likelihood = np.log(np.exp(scaled - peak[:, None]).sum(axis=1)) + peak - own / temperature
        return float(likelihood.sum()) + np.log(temperature) ** 2 / (2 * _SPREAD**2)

    return min((round(float(t), 3) for t in np.geomspace(0.3, 3, 47)), key=loss)
