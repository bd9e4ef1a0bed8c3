"""Presets: what the built-in ones come to, and files that are none."""

from __future__ import annotations

import pytest

from console.capacity.preset import builtin_presets, load_preset, preset_ids, read_preset
from console.cli.capacity import COMMANDS
from console.vocabulary.errors import ConsoleError, Problems


def options(name: str, **goal) -> dict[str, str]:
    arguments = load_preset(name).arguments(qps=goal.get("qps"), concurrency=goal.get("concurrency"))
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_the_built_in_presets_are_those_of_the_operators_guide():
    assert list(builtin_presets()) == [
        "quick-check", "find-the-limit", "real-traffic", "capacity-planning", "stability",
        "code-assistant", "content", "customer-service",
    ]  # fmt: skip
    assert options("quick-check") == {
        "--max-concurrency": "10",
        "--request-rate": "inf",
        "--num-prompts": "50",
    }
    assert load_preset("find-the-limit").command == "ramp"
    assert options("find-the-limit") == {}
    assert options("real-traffic", qps=12) == {
        "--request-rate": "12", "--arrival": "poisson", "--num-prompts": "1000",
    }  # fmt: skip
    assert options("capacity-planning", qps=20, concurrency=75) == {
        "--max-concurrency": "113", "--request-rate": "20", "--arrival": "poisson", "--num-prompts": "2000",
    }  # fmt: skip
    assert options("stability", qps=10, concurrency=120) == {
        "--max-concurrency": "96", "--request-rate": "8", "--arrival": "poisson", "--num-prompts": "14400",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("customer-service", (50, 20, 1000, 256, 128)),
        ("content", (200, 100, 2000, 512, 512)),
        ("code-assistant", (20, 10, 500, 1024, 256)),
    ],
)
def test_the_scenarios_are_those_of_the_operators_guide(name, figures):
    names = ("max-concurrency", "request-rate", "num-prompts", "random-input-len", "random-output-len")
    assert options(name) == {f"--{one}": str(figure) for one, figure in zip(names, figures, strict=True)}
    assert load_preset(name).scenario


def test_every_preset_has_its_name_and_runs_a_command_that_there_is_with_options_that_it_has():
    from click import Option

    from console.cli.capacity import capacity

    for name in builtin_presets():
        preset = load_preset(name)
        assert preset.id == name
        if preset.command not in COMMANDS:
            continue
        command = capacity.get_command(None, preset.command)
        known = {flag for option in command.params if isinstance(option, Option) for flag in option.opts}
        assert set(options(name, qps=1, concurrency=1)) <= known


def test_what_a_preset_needs_is_asked_for_and_what_it_does_not_need_takes_the_place_of_its_own():
    with pytest.raises(ConsoleError, match="preset stability needs --qps: requests per second"):
        options("stability", concurrency=5)
    with pytest.raises(ConsoleError, match="needs --concurrency"):
        options("capacity-planning", qps=5)
    assert options("quick-check", qps=3, concurrency=4) == {
        "--max-concurrency": "4", "--request-rate": "3", "--num-prompts": "50",
    }  # fmt: skip
    assert options("real-traffic", qps=5, concurrency=8)["--max-concurrency"] == "8"


GOOD = 'id = "x"\ntitle = "X"\ndescription = "d"\ncommand = "run"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "max_concurrency = 0\n", "p.toml:5: max_concurrency: 0 is not a whole number ≥ 1, or"),
        (GOOD + "max_concurrency = { qps = 2 }\n", "is not a whole number ≥ 1, or"),
        (GOOD + 'request_rate = "fast"\n', "p.toml:5: request_rate: 'fast' is not a number > 0"),
        (GOOD + "request_rate = inf\n", "request_rate: inf is not a number"),
        (GOOD + "max_concurency = 5\n", "did you mean max_concurrency?"),
        (GOOD + "minutes = 5\n", "minutes: 5 has no rate"),
        (GOOD + "request_rate = 5\nminutes = 5\nnum_prompts = 5\n", "minutes: 5 stands beside num_prompts"),
        (GOOD.replace("run", "fly"), "p.toml:4: command"),
        ("id = ", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_preset_is_located(text, said):
    with pytest.raises(Problems) as caught:
        read_preset(text, "p.toml")
    assert said in "\n".join(caught.value.lines())


def test_a_users_preset_is_found_by_name_and_by_path_and_further_options_go_through(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own = tmp_path / "ultra-console" / "capacity"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(
        GOOD + '[options]\nsave-result = true\nseed = 4\nlabel = "a b"\nignore-eos = false\n'
    )
    assert preset_ids()[-1] == "mine"
    expected = ["--save-result", "--seed", "4", "--label", "a b"]
    assert load_preset("mine").arguments(qps=None, concurrency=None) == expected
    assert load_preset(str(own / "mine.toml")).arguments(qps=None, concurrency=None) == expected
    with pytest.raises(ConsoleError) as caught:
        load_preset("quik-check")
    assert caught.value.hint is not None
    assert "did you mean quick-check?" in caught.value.hint
