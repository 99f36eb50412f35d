"""Everything that can go wrong because of what a person gave or did.

    HanziError
    ├── WorkspaceError      a name, a folder, the disk
    ├── ImageError          a picture that cannot be read
    │   └── ImageTooLargeError    or is not, for it would take too much memory
    ├── DatasetError        a collection, its scan, its split
    │   └── ArchiveError    a zip that is broken or not to be trusted
    ├── JobError            a job that is not there, or cannot be started or stopped
    ├── TrainingError       settings or data that cannot be trained on
    └── BundleError         a model bundle that is broken or does not fit

Each is one sentence that says what is wrong, where, and what to do next, in the reader's language. The dashboard shows
it, the command line prints it and exits with 2; anything that is not a ``HanziError`` is a fault of ours.
"""

from typing import Any, TypeVar

from pydantic import ValidationError

from hanzi_core.language import Sentence, mark
from hanzi_core.language import gettext as _

_FAULTS = {
    "missing": mark("“{name}” is missing."),
    "extra_forbidden": mark("There is no setting “{name}”."),
    "enum": mark("“{name}” must be one of {expected}."),
    "literal_error": mark("“{name}” must be one of {expected}."),
    "greater_than": mark("“{name}” must be above {gt}."),
    "greater_than_equal": mark("“{name}” must be {ge} or more."),
    "less_than": mark("“{name}” must be below {lt}."),
    "less_than_equal": mark("“{name}” must be {le} or less."),
    "int_parsing": mark("“{name}” must be a whole number."),
    "int_from_float": mark("“{name}” must be a whole number."),
    "float_parsing": mark("“{name}” must be a number."),
    "float_type": mark("“{name}” must be a number."),
    "tuple_type": mark("“{name}” must be a range, of two numbers: low,high."),
}
"""What Pydantic calls a fault, and the sentence for it; for any other there is its own, in English."""


class HanziError(Exception):
    """One sentence: what is wrong, where, what to do. ``template`` is English with ``{names}`` for ``values``."""

    def __init__(self, template: str, **values: Any) -> None:
        self.sentence = Sentence(template, values)
        super().__init__(template, values)

    def __str__(self) -> str:
        return str(self.sentence)

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross a process border whole: the default would lose the values."""
        return _rebuild, (type(self), self.sentence.template, self.sentence.values)


def _rebuild(kind: type[HanziError], template: str, values: dict[str, Any]) -> HanziError:
    return kind(template, **values)


Kind = TypeVar("Kind", bound=HanziError)


def of_settings(kind: type[Kind], error: ValidationError) -> Kind:
    """The error that says of settings what is wrong with the first that cannot be."""
    first = error.errors()[0]
    about = first.get("ctx", {})
    if first["type"] == "value_error":  # of a validator of ours: a marked text that says it all
        reason = _(str(about["error"]))
        return kind(mark("{reason}."), reason=reason[:1].upper() + reason[1:])
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] in _FAULTS:
        return kind(_FAULTS[first["type"]], **{"name": name, **{key: _plain(value) for key, value in about.items()}})
    return kind(mark("{name}: {reason}."), name=name, reason=first["msg"].removesuffix("."))


def _plain(value: Any) -> Any:
    """A limit as one writes it: 1, not 1.0; and names without the English “or” between them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.replace(" or ", ", ").replace("'", "") if isinstance(value, str) else value


class WorkspaceError(HanziError):
    """A name, a folder or the disk."""


class ImageError(HanziError):
    """A picture that cannot be read."""


class ImageTooLargeError(ImageError):
    """A picture that is not read, for it would take too much memory."""


class DatasetError(HanziError):
    """A collection, its scan or its split."""


class ArchiveError(DatasetError):
    """A zip that is broken or not to be trusted."""


class JobError(HanziError):
    """A job that is not there, or cannot be started or stopped."""


class TrainingError(HanziError):
    """Settings or data that cannot be trained on."""


class BundleError(HanziError):
    """A model bundle that is broken or does not fit."""
