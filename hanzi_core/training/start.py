"""Where the first weights of a run come from: looked up before anything starts, without Keras."""

from hanzi_core.bundle import WEIGHTS, Bundle, find_bundles
from hanzi_core.errors import TrainingError
from hanzi_core.language import mark
from hanzi_core.training.config import Start, TrainingConfig
from hanzi_core.workspace import Workspace


def start_bundle(workspace: Workspace, config: TrainingConfig) -> Bundle | None:
    """The bundle that the run starts from, if from any.

    Raises:
        TrainingError: there is no such bundle, or it has no weights to train further.
        BundleError: it is damaged.
    """
    if config.start is not Start.BUNDLE:
        return None
    bundles = find_bundles(workspace)
    name = config.start_bundle or ""
    if name not in bundles:
        raise TrainingError(
            mark("There is no model “{name}” to start from; there are: {known}."), name=name, known=", ".join(bundles)
        )
    if not (bundles[name] / WEIGHTS).is_file():
        raise TrainingError(mark("The model “{name}” has no {file} to train further from."), name=name, file=WEIGHTS)
    return Bundle.open(bundles[name])


def check_start(workspace: Workspace, config: TrainingConfig) -> None:
    """Look whether the first weights can be had, before anything starts.

    Raises:
        TrainingError: they cannot; says what to do.
    """
    start_bundle(workspace, config)
    if config.start is Start.IMAGENET and config.start_file and not config.start_file.is_file():
        raise TrainingError(
            mark("There are no ImageNet weights at {path}: download them once (“notop”, Keras), and give their path."),
            path=config.start_file,
        )


def image_size_px(workspace: Workspace, config: TrainingConfig) -> int:
    """The side of the pictures; a bundle's body wants those that it was made for."""
    bundle = start_bundle(workspace, config)
    return bundle.card.image_size_px if bundle else config.image_size_px


def trained_name(workspace: Workspace, config: TrainingConfig) -> str:
    """What is trained, in a word: the model to start from, else the network."""
    bundle = start_bundle(workspace, config)
    return bundle.name if bundle else config.network.value
