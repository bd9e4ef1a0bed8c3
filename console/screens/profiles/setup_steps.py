"""The questions of a first profile: what is asked, what is wrong with an answer, and the profile that comes of them.

Answers are judged by the reader of profiles: each step builds the whole profile, with stand-ins for what was not asked
yet, and keeps the complaints about its own part. No Textual here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from console.profile.complaints import Complaint
from console.profile.inline import inline, inline_key
from console.profile.load import check_profile
from console.profile.overrides import plain_value
from console.profile.tables import Table, as_table
from console.profile.toml_lines import KeyPath
from console.screens.profiles.limits import complaint_text

_SUPPOSED: Final = {
    "api": "openai",
    "base_url": "http://localhost:8000/v1",
    "api_version": "2024-12-01-preview",
    "key": "",
    "models": "model",
    "workers": "4",
    "name": "mine",
}
"""What an answer is until it is given."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question."""

    id: str
    title: str
    text: tuple[str, ...]
    suggested: str
    paths: Callable[[str], tuple[KeyPath, ...]] = field(repr=False)
    """Where in the profile the answer stands, given the name of the provider."""
    asked: Callable[[Mapping[str, str]], bool] = field(default=lambda _: True, repr=False)
    """Whether it is asked at all, given the answers before it."""


STEPS: Final = (
    Step(
        "api",
        "kind of API",
        (
            "How is it spoken to? openai: anything that serves /v1/chat/completions, such as vLLM or a gateway.",
            "azure: Azure OpenAI, where deployments are part of the URL.",
        ),
        "openai",
        lambda name: (("providers", name, "api"),),
    ),
    Step(
        "base_url",
        "base URL",
        ("Where is it? As in http://localhost:8000/v1, or env:NAME for a variable that holds it.",),
        "",
        lambda name: (("providers", name, "base_url"),),
    ),
    Step(
        "api_version",
        "API version",
        ("Azure wants to be told one.",),
        "2024-12-01-preview",
        lambda name: (("providers", name, "api_version"),),
        lambda answers: answers.get("api") == "azure",
    ),
    Step(
        "key",
        "API key",
        (
            "Where is the key found? env:NAME, file:PATH, cmd:COMMAND or keyring:SERVICE/USER; empty: it needs none.",
            "A key itself is never written into a profile.",
        ),
        "",
        lambda name: (("providers", name, "keys"),),
    ),
    Step(
        "models",
        "models",
        ("What are its models (for azure: deployments) called? Several: apart by spaces.",),
        "",
        lambda _: (("models",),),
    ),
    Step(
        "workers",
        "workers",
        (
            "How many tests may run at once on each model and key? It can be changed at any time, while a run goes on too.",
        ),
        "4",
        lambda name: (("limits", name),),
    ),
    Step(
        "name",
        "name",
        ("What is the profile to be called? Launches and the command line know it by this name.",),
        "mine",
        lambda _: (("name",),),
    ),
)


def provider_name(answers: Mapping[str, str]) -> str:
    """Return what the provider is called in the profile."""
    return "azure" if answers.get("api", "").strip() == "azure" else "endpoint"


def profile_table(answers: Mapping[str, str]) -> Table:
    """Return the profile of these answers; what was not asked yet is supposed."""
    given = {**_SUPPOSED, **{name: text.strip() for name, text in answers.items()}}
    name = provider_name(given)
    provider: Table = {"api": given["api"].lower(), "base_url": given["base_url"]}
    if given["api"] == "azure":
        provider["api_version"] = given["api_version"]
    if given["key"]:
        provider["keys"] = {"key0": given["key"]}
    workers = plain_value(given["workers"])
    models = dict.fromkeys(given["models"].replace(",", " ").split())
    return {
        "name": given["name"],
        "rate_mode": "fixed",
        "providers": {name: provider},
        "models": {model: {"provider": name, "class": "open"} for model in models},
        "limits": {name: {"open": {"fixed": {"workers": workers}, "adaptive": {"workers": workers}}}},
    }


def answer_fault(step: Step, answers: Mapping[str, str], text: str) -> str | None:
    """Return what is wrong with an answer; None: nothing."""
    text = text.strip()
    if not text and step.id != "key":
        return "something has to be said here"
    given = {**answers, step.id: text}
    _, found = check_profile(profile_table(given))
    paths = step.paths(provider_name(given))
    for one in found:
        for path in paths:
            if one.path[: len(path)] == path:
                return _said(one)
    return None


def _said(one: Complaint) -> str:
    """Leave out where it stands, which says nothing to somebody who sees no file."""
    return complaint_text(one, one.path)


def profile_text(answers: Mapping[str, str]) -> str:
    """Return the file of these answers, as a person would write it."""
    table = profile_table(answers)
    lines = [f"{name} = {inline(table[name])}" for name in ("name", "rate_mode")]
    for section in ("providers", "models"):
        for name, value in as_table(table[section]).items():
            lines += ["", f"[{inline_key((section, name))}]"]
            lines += [f"{key} = {inline(inner)}" for key, inner in as_table(value).items()]
    for name, classes in as_table(table["limits"]).items():
        for model_class, limits in as_table(classes).items():
            lines += ["", f"[{inline_key(('limits', name, model_class))}]"]
            lines += [f"{mode} = {inline(figures)}" for mode, figures in as_table(limits).items()]
    return "\n".join(lines) + "\n"


def env_variable(text: str) -> str | None:
    """Return the variable that an answer refers to."""
    return text.strip().removeprefix("env:") if text.strip().startswith("env:") else None
