"""What a model server and its GPUs say of themselves, read from the text form of Prometheus.

Only the lines that are known are looked at: a page of vLLM has some thousand lines of histograms, and it is read
every second in the process that takes times. Names are those of vLLM (both engines), SGLang, llama.cpp, TGI, and of
the GPU exporters DCGM, nvidia_gpu_exporter and AMD's device-metrics-exporter. Collectors that write `_` for `:` are
understood as well.

Of several series of one name (engines, GPUs) counts are added and shares are the largest. Series that differ only
in the rank of tensor, pipeline or expert parallelism are the same count told by each rank, so the largest stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec

_Field = Literal[
    "running", "waiting", "cache_used", "preemptions", "gpu_percent", "gpu_share", "memory_used", "memory_free", "memory_total"
]  # fmt: skip
_FIELDS: Final[dict[str, _Field]] = {
    "vllm_num_requests_running": "running",
    "vllm_num_requests_waiting": "waiting",
    "vllm_kv_cache_usage_perc": "cache_used",
    "vllm_gpu_cache_usage_perc": "cache_used",
    "vllm_num_preemptions_total": "preemptions",
    "sglang_num_running_reqs": "running",
    "sglang_num_queue_reqs": "waiting",
    "sglang_token_usage": "cache_used",
    "sglang_num_retracted_requests_total": "preemptions",
    "llamacpp_requests_processing": "running",
    "llamacpp_requests_deferred": "waiting",
    "llamacpp_kv_cache_usage_ratio": "cache_used",
    "tgi_batch_current_size": "running",
    "tgi_queue_size": "waiting",
    "DCGM_FI_DEV_GPU_UTIL": "gpu_percent",
    "DCGM_FI_DEV_FB_USED": "memory_used",
    "DCGM_FI_DEV_FB_FREE": "memory_free",
    "nvidia_smi_utilization_gpu_ratio": "gpu_share",
    "nvidia_smi_memory_used_bytes": "memory_used",
    "nvidia_smi_memory_total_bytes": "memory_total",
    "gpu_gfx_activity": "gpu_percent",
    "amd_gpu_gfx_activity": "gpu_percent",
    "gpu_used_vram": "memory_used",
    "amd_gpu_used_vram": "memory_used",
    "gpu_total_vram": "memory_total",
    "amd_gpu_total_vram": "memory_total",
}
"""Name, with `_` for `:`, → what it says."""


def _pattern(names: Iterable[str]) -> str:
    """Return a pattern of names, those of one server after its own name: most lines of a page bear that."""
    of: dict[str, list[str]] = {}
    for name in names:
        server, _, rest = name.partition("_")
        of.setdefault(server, []).append(re.escape(rest))
    return "|".join(f"{server}[:_](?:{'|'.join(rests)})" for server, rests in of.items())


_LABELS: Final = r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}'
_LINE: Final = re.compile(rf"^({_pattern(_FIELDS)})({_LABELS})?[ \t]+(\S+)", re.MULTILINE)
_LABEL: Final = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_RANKS: Final = frozenset({"tp_rank", "pp_rank", "moe_ep_rank", "pid"})
_BLANK: Final = 2.0**60
"""DCGM writes 2**63 and a few below where it knows nothing."""


class ServerSample(msgspec.Struct, frozen=True, kw_only=True):
    """One look; None: the server does not show it."""

    running: float | None = None
    """Requests being worked on."""
    waiting: float | None = None
    """Requests in the server's queue."""
    cache_used: float | None = None
    """Share of the KV cache, 0 … 1, of the fullest engine."""
    preemptions: float | None = None
    """Requests whose cache was taken away to make room, since the server began."""
    gpu_util: float | None = None
    """Share of the time in which something ran, 0 … 1, mean of the GPUs."""
    gpu_memory_used: float | None = None
    """Share of the memory, 0 … 1, of the fullest GPU."""

    @property
    def knows_server(self) -> bool:
        """Whether it says anything of requests."""
        return any(
            value is not None for value in (self.running, self.waiting, self.cache_used, self.preemptions)
        )

    @property
    def empty(self) -> bool:
        """Whether it says nothing at all."""
        return not self.knows_server and self.gpu_util is None and self.gpu_memory_used is None


def parse_metrics(text: str) -> ServerSample:
    """Return what one page says."""
    found: dict[_Field, dict[tuple[tuple[str, str], ...], float]] = {}
    for name, labels, number in _LINE.findall(text):
        try:
            value = float(number)
        except ValueError:
            continue
        if not math.isfinite(value) or not 0 <= value < _BLANK:
            continue
        told = _LABEL.findall(labels)
        if any(label == "priority" and of for label, of in told):
            continue  # SGLang tells the whole once more without it
        series = tuple(sorted((label, of) for label, of in told if label not in _RANKS))
        field = _FIELDS[name.replace(":", "_")]
        values = found.setdefault(field, {})
        values[series] = max(value, values.get(series, 0.0))

    def over(field: _Field, fold: Callable[[Iterable[float]], float]) -> float | None:
        values = found.get(field)
        return fold(values.values()) if values else None

    cache = over("cache_used", max)
    return ServerSample(
        running=over("running", sum),
        waiting=over("waiting", sum),
        cache_used=None if cache is None else _share(cache),
        preemptions=over("preemptions", sum),
        gpu_util=_utilisation(found),
        gpu_memory_used=_memory(found),
    )


def together(samples: Sequence[ServerSample]) -> ServerSample:
    """Return what several pages say, of servers side by side or of a server and its GPUs."""

    def known(name: str) -> list[float]:
        return [value for sample in samples if (value := getattr(sample, name)) is not None]

    def total(name: str) -> float | None:
        values = known(name)
        return sum(values) if values else None

    utilisations = known("gpu_util")
    return ServerSample(
        running=total("running"),
        waiting=total("waiting"),
        cache_used=max(known("cache_used"), default=None),
        preemptions=total("preemptions"),
        gpu_util=sum(utilisations) / len(utilisations) if utilisations else None,
        gpu_memory_used=max(known("gpu_memory_used"), default=None),
    )


_Found = dict[_Field, dict[tuple[tuple[str, str], ...], float]]


def _share(value: float) -> float:
    """Return a share; some builds of servers write per cent under the same name."""
    return value if value <= 1 else value / 100


def _utilisation(found: _Found) -> float | None:
    shares = [value / 100 for value in found.get("gpu_percent", {}).values()]
    shares += found.get("gpu_share", {}).values()
    return sum(shares) / len(shares) if shares else None


def _memory(found: _Found) -> float | None:
    shares: list[float] = []
    for series, used in found.get("memory_used", {}).items():
        total = found.get("memory_total", {}).get(series)
        if total is None and (free := found.get("memory_free", {}).get(series)) is not None:
            total = used + free
        if total:
            shares.append(used / total)
    return max(shares, default=None)
