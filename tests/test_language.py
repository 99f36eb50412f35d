import ast
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from hanzi_core.errors import DatasetError
from hanzi_core.language import (
    LANGUAGES,
    LOCALE_FOLDER,
    Sentence,
    gettext,
    listed,
    mark,
    match_language,
    sentences,
    set_language_source,
)

PROJECT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "mark": None, "gettext": None, "ngettext": (1, 2)}


def visible_texts() -> set[str]:
    """Every text that the code marks for translation."""
    found = set()
    for part in ("app.py", "pages", "hanzi_core"):
        folder = PROJECT / part
        rows = extract_from_dir(
            PROJECT if folder.is_file() else folder,
            method_map=[(part if folder.is_file() else "**.py", "python")],
            keywords=KEYWORDS,
        )
        for _file, _line, message, _comments, _context in rows:
            found.add(message[0] if isinstance(message, tuple) else message)
    return {text for text in found if text}


def marked_texts() -> set[str]:
    """Every text that the running code asks for, wherever it stands."""
    found = set()
    for path in (PROJECT / "app.py", *(PROJECT / "pages").rglob("*.py"), *(PROJECT / "hanzi_core").rglob("*.py")):
        calls = (each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.Call))
        named = (each for each in calls if isinstance(each.func, ast.Name) and each.func.id in KEYWORDS)
        found |= {each.args[0].value for each in named if isinstance(each.args[0], ast.Constant)}
    return {text for text in found if text}


def test_no_text_is_marked_where_the_catalogue_does_not_look() -> None:
    assert sorted(marked_texts() - visible_texts()) == []  # before Python 3.12, that is within an f-string


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
class TestCatalogue:
    def read(self, language: str) -> dict[str, str]:
        with (LOCALE_FOLDER / f"{language}.po").open("rb") as file:
            messages = [message for message in read_po(file, locale=language) if message.id]
        assert not [message.id for message in messages if message.fuzzy]
        return {
            message.id[0] if message.pluralizable else message.id: (
                message.string[0] if message.pluralizable else message.string
            )
            for message in messages
        }

    def test_is_complete(self, language: str) -> None:
        translated = {text for text, translation in self.read(language).items() if translation}
        assert sorted(visible_texts() - translated) == []

    def test_holds_nothing_that_the_code_no_longer_says(self, language: str) -> None:
        assert sorted(set(self.read(language)) - visible_texts()) == []

    def test_keeps_the_values_of_each_sentence(self, language: str) -> None:
        def names(text: str) -> set[str]:
            tree = ast.parse("f" + repr(text), mode="eval").body
            return {ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)}

        wrong = []
        for text, translation in self.read(language).items():
            try:
                is_kept = names(text) == names(translation)
            except SyntaxError:  # braces that are not ours
                is_kept = True
            if not is_kept or text.count("%{") != translation.count("%{"):  # the second are plotly's
                wrong.append(text)
        assert wrong == []


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-CN", "zh_CN"), ("zh", "zh_CN"), ("zh_TW.UTF-8", "zh_CN"), ("en-GB", "en"), ("fr", "en"), (None, "en")],
)
def test_browser_languages_are_matched(tag: str | None, language: str) -> None:
    assert match_language(tag) == language


def test_an_error_is_read_in_the_language_of_its_reader() -> None:
    error = DatasetError(mark("There is no dataset “{name}”: import it first."), name="甲")
    assert str(error) == "There is no dataset “甲”: import it first."
    set_language_source(lambda: "zh_CN")
    assert str(error) != "There is no dataset “甲”: import it first."
    assert "甲" in str(error)


def test_a_sentence_survives_a_file() -> None:
    sentence = Sentence("{count} of {path}", {"count": 3, "path": Path("a/b")})
    assert str(Sentence.from_json(sentence.to_json())) == "3 of a/b"


def test_the_empty_text_stays_empty() -> None:
    set_language_source(lambda: "zh_CN")
    assert gettext("") == ""


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Precision", "精确率"),  # of the pictures that were read as a character
        ("Numerical precision", "数值精度"),
        ("train", "训练集"),
        ("validation", "验证集"),
        ("test", "测试集"),
    ],
)
def test_the_terms_are_those_of_the_field(text: str, term: str) -> None:
    set_language_source(lambda: "zh_CN")
    assert gettext(text) == term


@pytest.mark.parametrize(
    ("word", "better"), [("正确率", "准确率"), ("把握", "置信度"), ("起始权重", "初始权重"), ("模拟的手", "手写模拟器")]
)
def test_one_thing_has_one_word(word: str, better: str) -> None:
    text = (LOCALE_FOLDER / "zh_CN.po").read_text("utf-8")
    assert better in text
    assert word not in text


def test_lists_and_sentences_are_joined_as_each_language_does_it() -> None:
    assert (listed(["a", "b", "c"]), sentences("One.", "Two.", "Three.")) == ("a, b, c", "One. Two. Three.")
    set_language_source(lambda: "zh_CN")
    assert (listed(["甲", "乙", "丙"]), sentences("一。", "二。", "三。")) == ("甲、乙、丙", "一。二。三。")
    assert sentences("一。") == "一。"
