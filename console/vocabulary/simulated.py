"""How a simulated provider behaves: the `sim` table of a provider, and the flags of `simulator`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, slots=True, kw_only=True)
class SimBehaviour:
    """Speed, capacity, quotas and faults of one simulated provider. Absent quota: none."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    dialect: Literal["openai", "azure"] = "openai"
    ttft_ms: Annotated[float, Ge(0)] = 200.0
    """Median time to first token of an idle deployment."""
    ttft_spread: Annotated[float, Ge(0), Le(2)] = 0.2
    """Sigma of its lognormal distribution."""
    itl_ms: Annotated[float, Ge(0)] = 10.0
    """Median gap between tokens of an idle deployment."""
    itl_spread: Annotated[float, Ge(0), Le(2)] = 0.1
    load_factor: Annotated[float, Ge(0)] = 0.0
    """At all slots busy, TTFT and gaps are (1 + load_factor) times as long; linear in between."""
    output_tokens: Annotated[int, Ge(1)] = 64
    """Mean length of an answer where neither `max_tokens` nor a player sets it."""
    slots: Annotated[int, Ge(1)] | None = None
    """Requests that one deployment serves at once; the others queue, FIFO."""
    queue: Annotated[int, Ge(0)] | None = None
    """Requests that may wait for a slot; more are answered 503. Absent: no bound."""
    key_concurrency: Annotated[int, Ge(1)] | None = None
    """Requests in flight per key beyond which 429 is answered."""
    deployment_concurrency: Annotated[int, Ge(1)] | None = None
    key_qps: Annotated[float, Gt(0)] | None = None
    """Requests per second and key, counted in one-second windows as servers do."""
    deployment_qps: Annotated[float, Gt(0)] | None = None
    key_rpm: Annotated[float, Gt(0)] | None = None
    deployment_tpm: Annotated[float, Gt(0)] | None = None
    """Tokens per minute and deployment by estimate at arrival (prompt + max_tokens)."""
    throttle: Literal["429", "400"] = "429"
    """`400`: as the original gateway does, HTTP 400 with a throttle body."""
    retry_after: Literal["seconds", "ms", "none"] = "seconds"
    error_rate: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of requests answered 500."""
    cut_rate: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of streams cut in the middle without an end."""
    skill: Annotated[float, Ge(0), Le(1)] = 0.85
    """How well simulated models play tests: 1 does all as it should, whatever it is shown."""
    skills: dict[str, Annotated[float, Ge(0), Le(1)]] = field(default_factory=dict)
    """The same of single models, by name."""
    models: tuple[str, ...] = ()
    """What `/v1/models` lists; absent: any name is served."""
    keys: tuple[str, ...] = ()
    """Accepted credentials; absent: any, or none."""
