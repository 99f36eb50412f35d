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

from typing import Any

from hanzi_core.language import Sentence


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
