import numpy as np
import pytest

from hanzi_core.dataset.encoding import chinese_encoding


def level_names(encoding: str, first: int, last: int) -> list[str]:
    codes = [bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(0x40, 0xFF)]
    return [name for code in codes if (name := code.decode(encoding, "ignore")).isalpha() and len(name) == 1]


@pytest.mark.parametrize(
    ("national", "first", "last", "encoding"), [("gb2312", 0xB0, 0xF7, "gb18030"), ("big5", 0xA4, 0xF9, "cp950")]
)
def test_names_from_a_whole_national_set(national: str, first: int, last: int, encoding: str) -> None:
    names = level_names(national, first, last)
    for seed in range(10):
        drawn = np.random.default_rng(seed).choice(names, 100)
        assert chinese_encoding("".join(f"{name}/1.png\n" for name in drawn).encode(encoding)) == encoding


@pytest.mark.parametrize("text", ["龍/1.png\n學/1.png", "學生作業.csv", '{"寫": 0, "國": 1}', "一\n七\n不"])
def test_traditional_text_is_big5(text: str) -> None:
    assert chinese_encoding(text.encode("cp950")) == "cp950"


@pytest.mark.parametrize(
    "text", ["龙/1.png\n学/1.png", "0,奥,ào\n1,把,bǎ\n2,白,bái\n", "啊\n阿", "龍/1.png\n學/1.png", "plain"]
)
def test_simplified_text_is_gb18030(text: str) -> None:
    assert chinese_encoding(text.encode("gb18030")) == "gb18030"


def test_what_is_neither_is_left_to_whoever_decodes_it() -> None:
    assert chinese_encoding(b"\xff\xff") == "gb18030"
