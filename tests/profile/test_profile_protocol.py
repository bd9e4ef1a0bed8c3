"""Which protocol a model is spoken to in: its own, else its provider's, else tool calling."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from console.cli import main
from console.profile import (
    diff,
    dump_toml,
    load_profile,
    model_protocols,
    profile_from_record,
    profile_record,
)
from console.vocabulary.errors import Problems

Write = Callable[..., str]
LAB_TEXT = ('base_url = "env:LAB_URL"', 'base_url = "env:LAB_URL"\nprotocol = "text"')
QWEN_TEXT = ('[models."qwen2.5"]', '[models."qwen2.5"]\nprotocol = "text"')
QWEN_TOOLS = ('[models."qwen2.5"]', '[models."qwen2.5"]\nprotocol = "tools"')


@pytest.mark.parametrize(
    ("changes", "protocols"),
    [
        ((), {}),
        ((LAB_TEXT,), {"qwen2.5": "text"}),
        ((QWEN_TEXT,), {"qwen2.5": "text"}),
        ((LAB_TEXT, QWEN_TOOLS), {}),
        ((QWEN_TOOLS,), {}),
    ],
)
def test_a_models_own_protocol_beats_its_providers(profile_file: Write, changes, protocols) -> None:
    profile = load_profile(profile_file(*changes)).profile
    assert model_protocols(profile) == protocols
    assert profile_from_record(profile_record(profile)) == profile


def test_it_is_written_as_it_was_said_and_no_more(profile_file: Write, tmp_path) -> None:
    profile = load_profile(profile_file(LAB_TEXT, QWEN_TOOLS)).profile
    written = tmp_path / "again.toml"
    written.write_text(dump_toml(profile))
    assert written.read_text().count("protocol") == 2
    assert load_profile(str(written)).profile == profile
    assert "protocol" not in dump_toml(load_profile(profile_file()).profile)


def test_a_difference_is_told_and_what_means_the_same_is_none(profile_file: Write) -> None:
    plain = load_profile(profile_file()).profile
    text = load_profile(profile_file(LAB_TEXT, name="y.toml")).profile
    found = {(row.path, row.left, row.right) for row in diff(plain, text).settings}
    assert found == {("providers.lab.protocol", "tools", "text")}
    said = load_profile(profile_file(QWEN_TOOLS, name="z.toml")).profile
    assert diff(plain, said).same
    own = load_profile(profile_file(QWEN_TEXT, name="w.toml")).profile
    assert [row.path for row in diff(plain, own).settings] == ['models."qwen2.5".protocol']


SPREAD = (
    'deployments = ["V3", "V3-2"]',
    'deployments = ["V3", { name = "V3-2", provider = "lab" }]',
)


def test_a_model_at_providers_of_different_protocols_has_to_say_which(profile_file: Write) -> None:
    assert load_profile(profile_file(SPREAD)).profile
    with pytest.raises(Problems) as caught:
        load_profile(profile_file(LAB_TEXT, SPREAD, name="y.toml"))
    (line,) = caught.value.lines()
    assert ":17: models.V3.protocol: is missing (its deployments are at providers of different" in line
    own = ('provider = "azure"\nclass = "open"', 'provider = "azure"\nprotocol = "text"\nclass = "open"')
    profile = load_profile(profile_file(LAB_TEXT, SPREAD, own, name="z.toml")).profile
    assert model_protocols(profile) == {"V3": "text", "qwen2.5": "text"}


def test_show_tells_it(profile_file: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = profile_file(LAB_TEXT)
    with pytest.raises(SystemExit):
        main(["profile", "show", path])
    assert "protocol text, in place of tool calling: qwen2.5" in capsys.readouterr().out.splitlines()
    with pytest.raises(SystemExit):
        main(["profile", "show", path, "--json"])
    head = json.loads(capsys.readouterr().out.splitlines()[0])
    assert head["protocols"] == {"qwen2.5": "text"}
    assert head["max_tokens"] == {}


def test_show_tells_the_greatest_length_of_replies(
    profile_file: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile_file(
        ('provider = "azure"\nclass = "open"', 'provider = "azure"\nmax_tokens = 1500\nclass = "open"')
    )
    with pytest.raises(SystemExit):
        main(["profile", "show", path])
    assert "replies of so many tokens at most: V3 1,500" in capsys.readouterr().out.splitlines()


def test_an_override_sets_it(profile_file: Write) -> None:
    profile = load_profile(profile_file(), ("providers.azure.protocol=text",)).profile
    assert model_protocols(profile) == {"V3": "text"}
