"""A user of Locust who reads streamed answers and times their first chunk; run by `benchmarks.peers`."""

from __future__ import annotations

import json
import os
import time

from locust import FastHttpUser, task  # pyright: ignore[reportMissingImports]

_URL = os.environ["BENCH_URL"] + "/chat/completions"
_BODY = {
    "model": "bench-model",
    "messages": [{"role": "user", "content": "benchmark"}],
    "max_tokens": 16,
    "stream": True,
    "stream_options": {"include_usage": True},
}


class Reader(FastHttpUser):
    """Asks, reads the stream event by event, and asks again."""

    host = os.environ["BENCH_URL"]

    @task
    def ask(self) -> None:
        sent = time.perf_counter()
        times: list[float] = []
        tokens = 0
        with self.client.post(_URL, json=_BODY, stream=True, catch_response=True, name="chat") as answer:
            while line := answer.stream.readline(b"\n\n").rstrip():
                if not line.startswith(b"data: ") or line == b"data: [DONE]":
                    continue
                chunk = json.loads(line[6:])
                if chunk["choices"]:
                    times.append(time.perf_counter() - sent)
                if chunk["usage"]:
                    tokens = chunk["usage"]["completion_tokens"]
            if len(times) == tokens == 16:
                answer.success()
            else:
                answer.failure(f"{len(times)} chunks, {tokens} tokens")
