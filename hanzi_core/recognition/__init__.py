"""Recognising characters, drawn or photographed. Imports neither TensorFlow nor Keras."""

from hanzi_core.recognition.frequency import FAVOUR_NAMES, Favour
from hanzi_core.recognition.preferences import PLAIN, Preferences
from hanzi_core.recognition.recogniser import Answer, Candidate, Reader, Recogniser
from hanzi_core.recognition.vocabulary import VOCABULARY_NAMES, Vocabulary

__all__ = [
    "FAVOUR_NAMES",
    "PLAIN",
    "VOCABULARY_NAMES",
    "Answer",
    "Candidate",
    "Favour",
    "Preferences",
    "Reader",
    "Recogniser",
    "Vocabulary",
]
