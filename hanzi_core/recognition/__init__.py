"""Recognising one character, drawn or uploaded. Imports neither TensorFlow nor Keras."""

from hanzi_core.recognition.recogniser import Candidate, Recogniser

__all__ = ["Candidate", "Recogniser"]
