"""The language of everything a person reads: English in the code, other languages in ``hanzi_core/locale``.

Text is marked with :func:`gettext` where it is shown, or carried as a :class:`Sentence` where it is written down first
(an error, a job's status) and shown later, perhaps to somebody who reads another language.
"""

import gettext as standard_gettext
import io
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, reduce
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
LOCALE_FOLDER = Path(__file__).parent / "locale"


def match_language(tag: str | None) -> str:
    """The language of ours that fits a tag such as ``zh-Hans-CN`` or ``en_GB.UTF-8``; English where none does."""
    return "zh_CN" if (tag or "").lower().startswith("zh") else "en"


def _environment_language() -> str:
    """The language of the shell, in gettext's own order of variables."""
    tags = (os.environ.get(name) for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return match_language(next((tag for tag in tags if tag), None))


_source: Callable[[], str] = _environment_language


def set_language_source(source: Callable[[], str]) -> None:
    """Let ``source`` say the language of each text from now on: the dashboard asks the session that is being drawn."""
    global _source  # noqa: PLW0603  one process has one way to know its reader
    _source = source


def current_language() -> str:
    """The code of the language in use, a key of :data:`LANGUAGES`."""
    return _source()


@cache
def _catalogue(language: str) -> standard_gettext.NullTranslations:
    path = LOCALE_FOLDER / f"{language}.po"
    if not path.exists():
        return standard_gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return standard_gettext.GNUTranslations(compiled)


def gettext(message: str) -> str:
    """``message`` in the language in use."""
    return _catalogue(current_language()).gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """``singular`` or ``plural``, as ``count`` and the language in use ask for."""
    return _catalogue(current_language()).ngettext(singular, plural, count)


def listed(things: Iterable[str]) -> str:
    """Several things one after the other: a, b; Chinese has a comma of its own for that."""
    return gettext(", ").join(things)


def sentences(*told: str) -> str:
    """Sentences one after the other: in Chinese no space stands between them."""
    return reduce(lambda before, after: gettext("{before} {after}").format(before=before, after=after), told)


def duration(seconds: float) -> str:
    """A time span as people say it: 45 s, 3 min 20 s, 2 h."""
    whole = max(0, round(seconds))
    if not whole:
        return gettext("less than 1 s")
    hours, minutes, seconds = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return (gettext("{hours} h {minutes} min") if minutes else gettext("{hours} h")).format(
            hours=hours, minutes=minutes
        )
    if minutes:
        return (gettext("{minutes} min {seconds} s") if seconds else gettext("{minutes} min")).format(
            minutes=minutes, seconds=seconds
        )
    return gettext("{seconds} s").format(seconds=seconds)


def mark(message: str) -> str:
    """Mark ``message`` for the catalogue where it is only shown later."""
    return message


@dataclass(frozen=True)
class Sentence:
    """A text with its values apart, so that it can be stored and still be read in any language."""

    template: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return gettext(self.template).format(**self.values)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a status file."""
        return {
            "template": self.template,
            "values": {name: _plain(value) for name, value in self.values.items()},
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Sentence":
        """Back from :meth:`to_json`."""
        return cls(stored["template"], stored.get("values", {}))


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) else str(value)
