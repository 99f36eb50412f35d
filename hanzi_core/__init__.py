"""Handwritten Chinese character recognition: data, training, evaluation and recognition, without a browser."""

__version__ = "0.1.0"
