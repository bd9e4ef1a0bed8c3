"""What a simulator says of itself at `/metrics`: the requests that it serves and has waiting, by the names of vLLM.

It has no memory that could run full, so it tells of no cache and of no preemptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from console.sim.admission import Deployment
from console.sim.provider import SimulatedProvider

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics_text(providers: Mapping[str, SimulatedProvider]) -> bytes:
    """Return the page."""
    series = [
        (name, deployment)
        for name, provider in providers.items()
        for deployment in provider.deployments.values()
    ]
    lines = ["# SIMULATED: this is no model server"]
    lines += _gauge("vllm:num_requests_running", "Requests that hold a slot.")
    lines += [_sample("vllm:num_requests_running", name, one, one.serving) for name, one in series]
    lines += _gauge("vllm:num_requests_waiting", "Requests that wait for one.")
    lines += [_sample("vllm:num_requests_waiting", name, one, len(one.waiting)) for name, one in series]
    return ("\n".join(lines) + "\n").encode()


def _gauge(metric: str, about: str) -> list[str]:
    return [f"# HELP {metric} {about}", f"# TYPE {metric} gauge"]


def _sample(metric: str, provider: str, deployment: Deployment, value: int) -> str:
    model = deployment.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{metric}{{engine="{provider}",model_name="{model}"}} {value}'
