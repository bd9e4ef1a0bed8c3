"""Names that have no room are cut where they are alike, and two different ones never look the same."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from widgets.short_names import shortened

QWEN = tuple(f"qwen2.5-{size}b-instruct" for size in (72, 32, 14, 7, 3))
NAMES = (
    "azure",
    "DeepSeek-V3-0324",
    "DeepSeek-V3-0324-2",
    "Llama-3.3-70B-Instruct",
    "Llama-3.3-70B-Instruct-2",
    *QWEN,
)


def test_names_that_fit_are_left_alone():
    assert shortened(NAMES, 24) == {name: name for name in NAMES}


def test_the_tail_that_several_names_share_goes_first():
    short = shortened(NAMES, 18)
    assert [short[name] for name in QWEN] == [
        "qwen2.5-72b~",
        "qwen2.5-32b~",
        "qwen2.5-14b~",
        "qwen2.5-7b~",
        "qwen2.5-3b~",
    ]
    assert short["Llama-3.3-70B-Instruct-2"] == "Llama-3.3-70B~-2"
    assert short["DeepSeek-V3-0324-2"] == "DeepSeek-V3-0324-2"


def test_a_number_by_which_names_differ_is_not_cut_in_two():
    short = shortened(QWEN, 8)
    assert all(f"{size}b" in short[name] for size, name in zip((72, 32, 14, 7, 3), QWEN, strict=True))


@pytest.mark.parametrize("width", range(4, 25))
def test_different_names_stay_different_and_fit(width: int):
    short = shortened(NAMES, width)
    assert len(set(short.values())) == len(NAMES)
    assert all(len(text) <= width for text in short.values())


def test_a_tail_is_kept_where_another_name_lacks_only_it():
    short = shortened(("gpt-4o-mini-preview", "gpt-4o-mini", "o3-mini-preview"), 18)
    assert short["gpt-4o-mini"] == "gpt-4o-mini"
    assert short["gpt-4o-mini-preview"] == "gpt-4o-mini~"


@pytest.mark.parametrize("width", range(4, 30))
def test_wide_names_fit_in_columns_and_stay_different(width: int):
    names = ("模型-七十亿-指令", "模型-七十亿-指令-2", "模型-三十亿-指令", "qwen-7b", "Ａ" * 20)
    short = shortened(names, width)
    assert len(set(short.values())) == len(names)
    assert all(cell_len(text) <= width for text in short.values())
