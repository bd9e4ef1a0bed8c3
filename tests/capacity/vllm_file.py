"""A strict parser of the result file of `vllm bench serve`: its keys, in its order, of its types, and no others."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class VllmResult(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The result file of `vllm bench serve` in the order and the types in which it is written."""

    date: str
    endpoint_type: str
    backend: str
    label: str | None
    model_id: str
    tokenizer_id: str | None
    num_prompts: int
    version: str | msgspec.UnsetType = msgspec.UNSET
    """Of `--metadata version=…`."""
    request_rate: float | Literal["inf"]
    burstiness: float
    max_concurrency: int | None
    ramp_up_strategy: str | msgspec.UnsetType = msgspec.UNSET
    ramp_up_start_rps: float | msgspec.UnsetType = msgspec.UNSET
    ramp_up_end_rps: float | msgspec.UnsetType = msgspec.UNSET
    duration: float
    completed: int
    failed: int
    total_input_tokens: int
    total_output_tokens: int
    request_throughput: float
    request_goodput: float | None
    output_throughput: float
    total_token_throughput: float
    input_lens: list[int] | msgspec.UnsetType = msgspec.UNSET
    output_lens: list[int] | msgspec.UnsetType = msgspec.UNSET
    ttfts: list[float] | msgspec.UnsetType = msgspec.UNSET
    itls: list[list[float]] | msgspec.UnsetType = msgspec.UNSET
    latencies: list[float]
    start_times: list[float] | msgspec.UnsetType = msgspec.UNSET
    queue_times: list[float]
    generated_texts: list[str] | msgspec.UnsetType = msgspec.UNSET
    errors: list[str] | msgspec.UnsetType = msgspec.UNSET
    max_output_tokens_per_s: float
    max_concurrent_requests: int
    rtfx: float
    rps_change_events: list[dict[str, str | int]] | msgspec.UnsetType = msgspec.UNSET
    mean_ttft_ms: float
    median_ttft_ms: float
    std_ttft_ms: float
    p99_ttft_ms: float
    mean_tpot_ms: float
    median_tpot_ms: float
    std_tpot_ms: float
    p99_tpot_ms: float
    mean_itl_ms: float
    median_itl_ms: float
    std_itl_ms: float
    p99_itl_ms: float
    ultra: dict[str, Any]


def told(read: VllmResult) -> list[str]:
    """Return the keys that a file has, in the order in which vLLM writes them."""
    return [field for field in VllmResult.__struct_fields__ if getattr(read, field) is not msgspec.UNSET]
