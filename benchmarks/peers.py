"""Other tools against the same server, by their own command lines: CPU per request of the tool and its children.

A tool runs twice, short and long: the difference is what requests cost, without what its start costs. The server
counts the requests. Tools are looked for in the folders of `BENCH_PEERS` and then in `PATH`; some need a tokenizer,
named by `BENCH_TOKENIZER`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import children_cpu_s
from benchmarks.report import Part, table
from benchmarks.scripts import MODEL
from benchmarks.serving import Serving
from benchmarks.startup import program

IN_FLIGHT = 300
CHUNKS = 16
_WITHIN_S = 150.0
_ANSWERED = (0, 3)
"""Exit codes of a run that was measured: without delays our own client is the limit, and says so with 3."""


@dataclass(frozen=True)
class Work:
    """What a tool is asked to do."""

    base_url: str
    """With `/v1`."""
    root_url: str
    """Without."""
    requests: int
    seconds: int
    """For tools that count time."""
    folder: str
    tokenizer: str


@dataclass(frozen=True)
class Peer:
    """One tool."""

    name: str
    program: str
    arguments: Callable[[Work], list[str]]
    short: int
    """Requests of the short run."""
    long: int
    needs_tokenizer: bool = False


def _ours(work: Work) -> list[str]:
    options = (
        f"capacity run --base-url {work.base_url} --model {MODEL} --max-concurrency {IN_FLIGHT} --ignore-eos"
    )
    return [
        *options.split(),
        *f"--random-input-len 16 --random-output-len {CHUNKS} --num-prompts {work.requests}".split(),
        *("--out", work.folder),
    ]


def _locust(work: Work) -> list[str]:
    file = str(Path(__file__).with_name("locustfile.py"))
    return f"-f {file} --headless -u {IN_FLIGHT} -r {IN_FLIGHT} -t {work.seconds}s --stop-timeout 10 --only-summary".split()


def _vllm(work: Work) -> list[str]:
    options = f"bench serve --backend openai-chat --base-url {work.root_url} --endpoint /v1/chat/completions"
    return [
        *options.split(),
        *f"--model {MODEL} --tokenizer {work.tokenizer} --dataset-name random --random-input-len 16".split(),
        *f"--random-output-len {CHUNKS} --num-prompts {work.requests} --max-concurrency {IN_FLIGHT}".split(),
    ]


def _aiperf(work: Work) -> list[str]:
    return [
        *f"profile -m {MODEL} --tokenizer {work.tokenizer} --url {work.root_url} --endpoint-type chat".split(),
        *f"--streaming --concurrency {IN_FLIGHT} --request-count {work.requests} --ui none".split(),
        *f"--synthetic-input-tokens-mean 16 --output-tokens-mean {CHUNKS} --artifact-dir {work.folder}".split(),
    ]


def _guidellm(work: Work) -> list[str]:
    return [
        *f"benchmark --target {work.root_url} --model {MODEL} --processor {work.tokenizer}".split(),
        *f"--rate-type concurrent --rate {IN_FLIGHT} --max-requests {work.requests}".split(),
        *(
            "--data",
            f"prompt_tokens=16,output_tokens={CHUNKS}",
            "--output-path",
            f"{work.folder}/guidellm.json",
        ),
    ]


def _evalscope(work: Work) -> list[str]:
    return [
        *f"perf --url {work.base_url}/chat/completions --model {MODEL} --api openai --stream".split(),
        *f"--parallel {IN_FLIGHT} --number {work.requests} --max-tokens {CHUNKS} --prompt benchmark".split(),
        *("--outputs-dir", work.folder),
    ]


OURS = "ultra-console capacity run"
PEERS = (
    Peer(OURS, "ultra-console", _ours, 300, 6000),
    Peer("locust (FastHttpUser, streaming)", "locust", _locust, 2, 8),
    Peer("vllm bench serve", "vllm", _vllm, 300, 3000, needs_tokenizer=True),
    Peer("aiperf profile", "aiperf", _aiperf, 300, 1500, needs_tokenizer=True),
    Peer("guidellm benchmark", "guidellm", _guidellm, 300, 1500, needs_tokenizer=True),
    Peer("evalscope perf", "evalscope", _evalscope, 300, 1500),
)


@dataclass(frozen=True)
class Ran:
    """One run of a tool."""

    requests: int
    cpu_s: float
    wall_s: float


class Failed(RuntimeError):  # noqa: N818 - says what it is
    """The tool did not do the work."""


def run(server: Serving, *, rounds: int) -> Part:
    part = Part("peers")
    part.say(
        f"Tools as a user runs them, {IN_FLIGHT} in flight × {CHUNKS} chunks, no delays, one core; start-up taken off."
    )
    us_of: dict[str, list[float]] = {}
    rows: list[list[str]] = []
    for peer in PEERS:
        reason = missing(peer)
        try:
            if reason is None:
                us_of[peer.name] = [cost_us(server, peer) for _ in range(rounds)]
        except Failed as error:
            reason = str(error)
        if reason is not None:
            part.say(f"skipped {peer.name}: {reason}")
            part.figures.append({"tool": peer.name, "skipped": reason})
            continue
        us = sorted(us_of[peer.name])
        middle = us[len(us) // 2]
        ours = sorted(us_of.get(OURS, us))
        ratio = middle / ours[len(ours) // 2]
        rows.append([peer.name, f"{middle:.0f} ({us[0]:.0f}–{us[-1]:.0f})", f"{ratio:.1f}"])
        part.figures.append({"tool": peer.name, "us_per_request": us, "over_ours": ratio})
    if rows:
        part.say(*table(("tool", "CPU µs per request", "× ours"), rows))
    return part


def missing(peer: Peer) -> str | None:
    if _found(peer) is None:
        return "not installed"
    if peer.needs_tokenizer and not os.environ.get("BENCH_TOKENIZER"):
        return "it needs a tokenizer: set BENCH_TOKENIZER"
    return None


def _found(peer: Peer) -> str | None:
    if peer.name == OURS:
        return program()
    folders = os.pathsep.join(filter(None, (os.environ.get("BENCH_PEERS"), os.environ.get("PATH"))))
    return shutil.which(peer.program, path=folders)


def cost_us(server: Serving, peer: Peer) -> float:
    short, long = one_run(server, peer, peer.short), one_run(server, peer, peer.long)
    if long.requests <= short.requests:
        raise Failed(f"it sent {long.requests} requests where {short.requests} were the short run")
    return (long.cpu_s - short.cpu_s) / (long.requests - short.requests) * 1e6


def one_run(server: Serving, peer: Peer, amount: int) -> Ran:
    """Run the tool; `amount` is requests, or seconds where it counts those."""
    base_url = server.base_url(chunks=CHUNKS)
    executable = _found(peer)
    assert executable is not None
    with tempfile.TemporaryDirectory() as folder:
        work = Work(
            base_url=base_url,
            root_url=base_url.removesuffix("/v1"),
            requests=amount,
            seconds=amount,
            folder=folder,
            tokenizer=os.environ.get("BENCH_TOKENIZER", ""),
        )
        before, cpu, started = server.stats(), children_cpu_s(), time.perf_counter()
        try:
            ended = subprocess.run(
                [executable, *peer.arguments(work)],
                cwd=folder,
                env={**os.environ, "BENCH_URL": base_url, "OPENAI_API_KEY": "bench", "HF_HUB_OFFLINE": "1"},
                capture_output=True,
                text=True,
                timeout=_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {_WITHIN_S:g} s") from None
        ran = Ran(
            requests=server.stats().requests - before.requests,
            cpu_s=children_cpu_s() - cpu,
            wall_s=time.perf_counter() - started,
        )
    if ended.returncode not in _ANSWERED or ran.requests == 0:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
        raise Failed(
            f"exit code {ended.returncode}, {ran.requests} requests: {said[-1][:200] if said else 'silent'}"
        )
    return ran
