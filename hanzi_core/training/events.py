"""Event files for TensorBoard: figures of each epoch, and the graph of the network."""

import contextlib
from pathlib import Path

import keras
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class EventFiles:
    """The event files of a run, in ``folder``; a resumed run adds a file, and TensorBoard joins them."""

    def __init__(self, folder: Path, trainee: keras.Model, first_step: int) -> None:
        if first_step == 0:
            write_graph(folder, trainee)
        self._writer = Writer(str(folder))

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Add the figures of an epoch that ended after ``step`` steps."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Flush and let go of the file."""
        self._writer.close()


def write_graph(folder: Path, trainee: keras.Model) -> None:
    """The graph as TensorFlow runs it; JAX has none that TensorBoard could draw."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    signature = [tf.TensorSpec(shape, tf.float32) for shape in [trainee.input_shape]]
    graph = tf.function(lambda images: trainee(images, training=False)).get_concrete_function(*signature).graph
    with contextlib.closing(EventFileWriter(str(folder))) as writer:
        writer.add_event(Event(graph_def=graph.as_graph_def().SerializeToString()))
