"""The form of a profile file: one type a table. Values only; what refers to what is `references.py`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from console.vocabulary.lane import LeaseTo, Limits, ModelClass, RateMode, SplitKind
from console.vocabulary.simulated import SimBehaviour

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_WORKERS = 1_000_000
LEAVE_OUT = "leave it out for no limit"
REFERENCE_HINT = "write where it is found: env:NAME, file:PATH, cmd:COMMAND or keyring:SERVICE/USER"
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|cmd:\s*\S.*|keyring:[^/]+/.+")


def expecting(expected: str, hint: str | None = None) -> WrapValidator:
    """Make every failure of a type read `… is not <expected>`, whichever of its constraints failed.

    `hint` is for 0, infinity and huge numbers, by which people mean "unlimited".
    """

    def validate(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            context: dict[str, Any] = {"expected": expected}
            if hint and type(value) is int and value > MOST_WORKERS:
                context["expected"] = expected.replace("≥ 1", f"≤ {MOST_WORKERS}")
            if hint and type(value) in (int, float) and (value == 0 or value > MOST_WORKERS):
                context["hint"] = hint
            raise PydanticCustomError("expected", "{expected}", context) from None

    return WrapValidator(validate)


def _plain_name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError("name")
    return text


def _spaceless_name(text: str) -> str:
    if not 0 < len(text) <= 200 or not text.isprintable() or any(c.isspace() or c == "," for c in text):
        raise ValueError("name")
    return text


def url_fault(text: str) -> str | None:
    """Return what is wrong with a base URL, in words that do not repeat it; None where it is right."""
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        return "is not a URL"
    if parts.username is not None or parts.password is not None:
        return "holds a credential; keys belong into `keys`, by reference"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or not text.isprintable():
        return "is not an http:// or https:// URL"
    if " " in text or parts.query or parts.fragment:
        return "is a base URL: it takes no spaces, no `?` and no `#`"
    return None


def _base_url(text: str) -> str:
    if text.startswith("env:"):
        if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*", text) is None:
            raise PydanticCustomError("said", "is not env:NAME")
        return text
    fault = url_fault(text)
    if fault is not None:
        raise PydanticCustomError("said", "{fault}", {"fault": fault})
    return text


def _secret_reference(text: str) -> str:
    if _REFERENCE.fullmatch(text) is not None:
        return text
    if text.partition(":")[0] in ("env", "file", "cmd", "keyring"):
        raise PydanticCustomError("said", "is not a well-formed reference", {"hint": REFERENCE_HINT})
    raise PydanticCustomError(
        "said", "is not a reference, and a key itself never stands in a profile", {"hint": REFERENCE_HINT}
    )


Name = Annotated[
    str,
    BeforeValidator(lambda value: _plain_name(value) if isinstance(value, str) else value),
    expecting("a name (1 to 64 letters, digits, `.`, `_`, `-`, the first a letter or digit)"),
]
SpacelessName = Annotated[
    str,
    BeforeValidator(lambda value: _spaceless_name(value) if isinstance(value, str) else value),
    expecting("a name (1 to 200 characters without spaces or commas)"),
]
Text = Annotated[str, expecting("a text")]
Flag = Annotated[bool, expecting("true or false")]
Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS), expecting("a whole number ≥ 1", LEAVE_OUT)]
LaneWorkers = Annotated[
    int,
    Field(ge=1, le=MOST_WORKERS),
    expecting("a whole number ≥ 1", "a model is switched off by off = true"),
]
Rate = Annotated[float, Field(gt=0), expecting("a number > 0", LEAVE_OUT)]
Attempts = Annotated[int, Field(ge=1, le=100), expecting("a whole number from 1 to 100")]
Positive = Annotated[float, Field(gt=0), expecting("a number > 0")]
Count = Annotated[int, Field(ge=1), expecting("a whole number ≥ 1")]
NotNegative = Annotated[float, Field(ge=0), expecting("a number ≥ 0")]
Names = Annotated[tuple[SpacelessName, ...], Field(strict=False)]


ProtocolName = Literal["tools", "text"]
"""How a model is spoken to in tests: by its server's own tool calling, or by a JSON action in its text."""


class Form(BaseModel):
    """A table of the file: unknown keys are errors, nothing is converted, infinity is no number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RequestLimits(Form):
    """What a gate on a provider, key, deployment or model lets through; absent means unlimited."""

    workers: Workers | None = None
    """Requests in flight."""
    qps: Rate | None = None
    rpm: Rate | None = None
    tpm: Rate | None = None

    def limits(self) -> Limits:
        """Return them as the engine reads them."""
        return Limits(workers=self.workers, qps=self.qps, rpm=self.rpm, tpm=self.tpm)


class RateLimits(Form):
    """The limits of one lane in one rate mode. Workers are required: a lane without a bound is no plan."""

    workers: LaneWorkers
    qps: Rate | None = None
    rpm: Rate | None = None
    tpm: Rate | None = None

    def limits(self, multiplier: int = 1) -> Limits:
        """Return them as the engine reads them, with `multiplier` times the workers."""
        return Limits(workers=self.workers * multiplier, qps=self.qps, rpm=self.rpm, tpm=self.tpm)


class LaneLimits(Form):
    """`[limits.<provider>.<class>]`: the limits of each lane of a model class."""

    fixed: RateLimits | None = None
    adaptive: RateLimits | None = None
    """The ceiling of what the engine may find."""
    per: Literal["lane", "job"] = "lane"
    """`job`: each job has its own copy, as the original's processes had."""
    prompt_multiplier: Flag = False
    """With N prompt types in one job, workers are N times as many."""

    def of(self, rate_mode: RateMode) -> RateLimits | None:
        """Return the limits of one rate mode."""
        return self.fixed if rate_mode == "fixed" else self.adaptive


class ClassLimits(Form):
    """`[limits.<provider>]`: one table a model class."""

    open: LaneLimits | None = None
    closed: LaneLimits | None = None

    def of(self, model_class: ModelClass) -> LaneLimits | None:
        """Return the limits of one model class."""
        return self.open if model_class == "open" else self.closed


class ScopeLimits(Form):
    """`limits` of a provider: gates that every request passes besides those of its lane."""

    provider: RequestLimits | None = None
    key: RequestLimits | None = None
    """On each key, over all its models."""
    deployment: RequestLimits | None = None
    model: RequestLimits | None = None


class Lease(Form):
    """`lease` of a provider: who may hold one of its keys at once, where keys are leased."""

    to: LeaseTo = "job"
    """`job`: each job is a holder of its own; `model`: the jobs of one model share one."""
    holders: Count = 1


class Key(Form):
    """A credential by reference; `key0 = "env:A"` is short for `key0 = { secret = "env:A" }`."""

    secret: (
        Annotated[str, BeforeValidator(lambda v: _secret_reference(v) if isinstance(v, str) else v)] | None
    ) = None
    base_url: Annotated[str, BeforeValidator(lambda v: _base_url(v) if isinstance(v, str) else v)] | None = (
        None
    )
    """Where this key is used, if not at the provider's `base_url`."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"secret": value} if isinstance(value, str) else value


class Guess(Form):
    """What preflight and rehearsal suppose of a provider. Nothing is limited by it."""

    ttft_ms: NotNegative | None = None
    itl_ms: NotNegative | None = None
    output_tokens: Count | None = None
    key_qps: Positive | None = None


class Provider(Form):
    """`[providers.<name>]`: an API service, its keys, and the gates on them."""

    api: Literal["openai", "azure", "sim"]
    base_url: Annotated[str, BeforeValidator(lambda v: _base_url(v) if isinstance(v, str) else v)] | None = (
        None
    )
    """A URL, or `env:NAME` of the variable that holds it."""
    api_version: Text | None = None
    keys: dict[Name, Key] = {}
    keys_off: Names = ()
    deployments_off: Names = ()
    limits: ScopeLimits = ScopeLimits()
    lease: Lease = Lease()
    guess: Guess = Guess()
    tpm_accounting: Literal["estimate", "actual"] = "estimate"
    burst: NotNegative = 0.0
    limits_as: Name | None = None
    """Name in `[limits]` to use in place of the provider's own."""
    protocol: ProtocolName = "tools"
    """`text` where its server knows no tool calling."""
    max_tokens: Count | None = None
    """The greatest length of a reply in a test, thoughts included; absent: 1,024."""
    sim: SimBehaviour | None = None
    """How it behaves where `api = "sim"`."""

    @field_validator("keys", mode="before")
    @classmethod
    def _from_names(cls, value: Any) -> Any:
        """Take `["key0", "key1"]` for keys without a secret, which only a simulated provider has."""
        if not isinstance(value, list):
            return value
        names = cast("list[object]", value)
        if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
            raise PydanticCustomError("said", "is not a list of key names")
        if len(set(names)) < len(names):
            raise PydanticCustomError("said", "names a key twice")
        return {str(name): cast("dict[str, Any]", {}) for name in names}

    @property
    def sim_behaviour(self) -> SimBehaviour:
        """How it behaves where `api = "sim"`, defaults included."""
        return self.sim if self.sim is not None else SimBehaviour()


class Deployment(Form):
    """One instance of a model; `"a"` is short for `{ name = "a" }`."""

    name: SpacelessName
    provider: Name | None = None
    """Absent: the model's."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Model(Form):
    """`[models.<name>]`: what statistics are kept under, and where it runs."""

    provider: Name
    model_class: ModelClass = Field(alias="class")
    deployments: Annotated[tuple[Deployment, ...], Field(strict=False, min_length=1)] | None = None
    """Absent: one of the model's own name."""
    split: SplitKind = "pull"
    key: Name | None = None
    """Its one key, for `split = "one-key"` and for phases whose policy is one key per model."""
    keys: Annotated[Names, Field(min_length=1)] | None = None
    """The keys it may use; absent: all."""
    protocol: ProtocolName | None = None
    """Absent: its provider's."""
    max_tokens: Count | None = None
    """The greatest length of a reply in a test, thoughts included; absent: its provider's."""
    off: Flag = False


class TimeoutTable(Form):
    """`[timeouts]`, in seconds."""

    connect: Positive = 10.0
    first_token: Positive = 60.0
    idle: Positive = 30.0
    total: Positive = 300.0


class Retries(Form):
    """`[retries]`: how often one request is sent at most, the first time included."""

    attempts: Attempts = 5


class Start(Form):
    """`[start]`: staggered start, in seconds."""

    shard_delays: Annotated[tuple[NotNegative, ...], Field(strict=False)] = ()
    """The n-th shard of a job starts this long after the previous one."""
    job_delay: NotNegative = 0.0
    """Between jobs that may run at once, where the phase names no stagger."""


class Profile(Form):
    """A whole profile file."""

    name: Name
    description: Text = ""
    rate_mode: RateMode = "fixed"
    providers: Annotated[dict[Name, Provider], Field(min_length=1)]
    models: Annotated[dict[SpacelessName, Model], Field(min_length=1)]
    limits: dict[Name, ClassLimits]
    timeouts: TimeoutTable = TimeoutTable()
    retries: Retries = Retries()
    start: Start = Start()
