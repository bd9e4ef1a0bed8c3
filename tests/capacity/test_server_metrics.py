"""What servers say of themselves: pages as they write them, and what a window of looks comes to."""

from __future__ import annotations

import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest
import trio.testing

from console.capacity.metrics_text import ServerSample, parse_metrics, together
from console.capacity.server_metrics import ServerWatch, growth, metrics_page, slope_of
from console.vocabulary.errors import ConsoleError

# Pages as the servers write them, shortened to what tells them apart.
VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3.8-27B-FP8"} 24.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3.8-27B-FP8"} 23.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3.8-27B-FP8"} 72.0
vllm:num_requests_waiting{engine="1",model_name="Qwen/Qwen3.8-27B-FP8"} 1.0
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{engine="0",model_name="Qwen/Qwen3.8-27B-FP8",reason="capacity"} 72.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="Qwen/Qwen3.8-27B-FP8",reason="deferred"} 0.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="Qwen/Qwen3.8-27B-FP8"} 0.9912
vllm:kv_cache_usage_perc{engine="1",model_name="Qwen/Qwen3.8-27B-FP8"} 0.4
# HELP vllm:num_preemptions_total Cumulative number of preemption from the engine.
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{engine="0",model_name="Qwen/Qwen3.8-27B-FP8"} 7.0
# TYPE vllm:num_preemptions_created gauge
vllm:num_preemptions_created{engine="0",model_name="Qwen/Qwen3.8-27B-FP8"} 1.7617e+09
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="Qwen/Qwen3.8-27B-FP8"} 140.0
"""
VLLM_0 = """\
# HELP vllm:num_requests_running Number of requests currently running on GPU.
vllm:num_requests_running{model_name="odd \\"} 3\\" name"} 5.0
vllm:num_requests_swapped{model_name="odd"} 9.0
vllm:num_requests_waiting{model_name="odd"} 0.0
vllm:gpu_cache_usage_perc{model_name="odd"} 0.35
vllm:cpu_cache_usage_perc{model_name="odd"} 0.9
"""
SGLANG = """\
# HELP sglang:token_usage The token usage
# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.28
# HELP sglang:num_running_reqs The number of running requests
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 162.0
# HELP sglang:num_queue_reqs The number of requests in the waiting queue
# TYPE sglang:num_queue_reqs gauge
sglang:num_queue_reqs{model_name="meta-llama/Llama-3.1-8B-Instruct"} 2826.0
# TYPE sglang:num_retracted_reqs gauge
sglang:num_retracted_reqs{pid="77",model_name="meta-llama/Llama-3.1-8B-Instruct"} 1.0
# TYPE sglang:num_retracted_requests_total counter
sglang:num_retracted_requests_total{model_name="meta-llama/Llama-3.1-8B-Instruct"} 48.0
sglang:cache_hit_rate{model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.0075
"""
SGLANG_RANKS = """\
sglang:num_running_reqs{engine_type="unified",dp_rank="0",model_name="m",pp_rank="0",priority="",tp_rank="0"} 10.0
sglang:num_running_reqs{engine_type="unified",dp_rank="0",model_name="m",pp_rank="0",priority="",tp_rank="1"} 10.0
sglang:num_running_reqs{engine_type="unified",dp_rank="1",model_name="m",pp_rank="0",priority="",tp_rank="0"} 4.0
sglang:num_running_reqs{engine_type="unified",dp_rank="1",model_name="m",pp_rank="0",priority="2",tp_rank="0"} 4.0
"""
LLAMA_CPP = """\
# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 6886
# HELP llamacpp:kv_cache_usage_ratio KV-cache usage. 1 means 100 percent usage.
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio 0.63
# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# HELP llamacpp:requests_deferred Number of requests deferred.
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 11
"""
TGI = """\
# TYPE tgi_queue_size gauge
tgi_queue_size 12
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 4
# TYPE tgi_batch_next_size histogram
tgi_batch_next_size_sum 100
"""
DCGM = """\
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",pci_bus_id="00000000:03:00.0",device="nvidia0",modelName="NVIDIA H100"} 97
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",pci_bus_id="00000000:04:00.0",device="nvidia1",modelName="NVIDIA H100"} 91
DCGM_FI_DEV_MEMORY_TEMP{gpu="0",UUID="GPU-a"} 9223372036854775794
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-a",device="nvidia0"} 7531
DCGM_FI_DEV_FB_FREE{gpu="1",UUID="GPU-b",device="nvidia1"} 9223372036854775794
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",device="nvidia0"} 73469
DCGM_FI_DEV_FB_USED{gpu="1",UUID="GPU-b",device="nvidia1"} 70000
"""
NVIDIA_SMI = """\
nvidia_smi_utilization_gpu_ratio{uuid="a"} 0.37
nvidia_smi_memory_used_bytes{uuid="a"} 8e+09
nvidia_smi_memory_total_bytes{uuid="a"} 1.6e+10
"""


def test_pages_of_the_servers_are_understood():
    assert parse_metrics(VLLM) == ServerSample(running=47, waiting=73, cache_used=0.9912, preemptions=7)
    assert parse_metrics(VLLM_0) == ServerSample(running=5, waiting=0, cache_used=0.35)
    assert parse_metrics(SGLANG) == ServerSample(running=162, waiting=2826, cache_used=0.28, preemptions=48)
    assert parse_metrics(LLAMA_CPP) == ServerSample(running=4, waiting=11, cache_used=0.63)
    assert parse_metrics(TGI) == ServerSample(running=4, waiting=12)
    gpus = parse_metrics(DCGM)
    assert (gpus.gpu_util, gpus.knows_server) == (pytest.approx(0.94), False)
    assert gpus.gpu_memory_used == pytest.approx(73469 / 81000)
    assert parse_metrics(NVIDIA_SMI) == ServerSample(gpu_util=0.37, gpu_memory_used=0.5)


def test_ranks_tell_the_same_count_and_replicas_their_own():
    assert parse_metrics(SGLANG_RANKS).running == 14


def test_names_with_an_underscore_and_per_cent_are_understood_and_nonsense_is_none():
    page = "vllm_num_requests_waiting 3\nvllm:kv_cache_usage_perc 55.0\nvllm:num_requests_running NaN\n"
    assert parse_metrics(page) == ServerSample(waiting=3, cache_used=0.55)
    assert parse_metrics("").empty
    assert parse_metrics(
        "<html>not found</html>\nvllm:num_requests_running{ broken\n xsglang:token_usage 1"
    ).empty
    exemplar = 'vllm:num_preemptions_total{engine="0"} 5.0 # {trace_id="abc"} 1.0 1.7e9\n'
    assert parse_metrics(exemplar).preemptions == 5


def test_a_server_and_its_gpus_make_one_picture():
    both = together([parse_metrics(VLLM), parse_metrics(TGI), parse_metrics(DCGM)])
    assert (both.running, both.waiting, both.cache_used, both.gpu_util) == (
        51,
        85,
        0.9912,
        pytest.approx(0.94),
    )


def page(running=0, waiting=0.0, cache=0.5, preempted=0) -> str:
    return (
        f"vllm:num_requests_running {running}\nvllm:num_requests_waiting {waiting}\n"
        f"vllm:kv_cache_usage_perc {cache}\nvllm:num_preemptions_total {preempted}\n"
    )


def watched(pages: list[str | Exception], interval_s: float = 1.0) -> ServerWatch:
    """Look at pages, one a second of virtual time, from second 0 on."""
    left = iter(pages)

    async def fetch() -> str:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    watch = ServerWatch(fetch, now_ns=lambda: round(trio.current_time() * 1e9), interval_s=interval_s)

    async def main() -> None:
        with trio.move_on_after((len(pages) - 0.5) * interval_s):
            await watch.run()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    start = watch._times[0]
    watch._times = [at - start for at in watch._times]
    return watch


def seconds(watch: ServerWatch, first: float, last: float) -> dict[str, float]:
    return watch.window(int(first * 1e9), int(last * 1e9))


def test_a_window_has_the_figures_of_its_looks_and_what_was_preempted_in_it():
    watch = watched([page(10, 0, 0.2, 3), page(20, 4, 0.6, 3), page(30, 8, 0.4, 5), page(40, 0, 0.99, 9)])
    found = seconds(watch, 1, 2)
    assert found["samples"] == 2
    assert (found["running_mean"], found["running_max"], found["waiting_mean"], found["waiting_max"]) == (
        25,
        30,
        6,
        8,
    )
    assert (found["kv_cache_mean"], found["kv_cache_max"]) == (pytest.approx(0.5), 0.6)
    assert found["preemptions"] == 2
    assert "gpu_util_mean" not in found
    assert "waiting_grows" not in found, "two looks say nothing of a trend"
    assert seconds(watch, 0, 9)["preemptions"] == 6
    assert seconds(watch, 50, 60) == {"samples": 0}


def test_a_server_that_begins_anew_has_not_preempted_less_than_nothing():
    assert (
        seconds(watched([page(preempted=90), page(preempted=95), page(preempted=2)]), 0, 3)["preemptions"]
        == 5
    )


@pytest.mark.parametrize(("per_s", "noise", "grows"), [(1.0, 3.0, 1), (0.0, 3.0, 0), (-1.0, 3.0, 0), (0.0, 0.0, 0), (0.5, 0.0, 1)])  # fmt: skip
def test_a_queue_that_grows_through_the_window_is_known_from_one_that_varies(per_s, noise, grows):
    rng = random.Random(4)
    pages = [page(50, max(0, 100 + per_s * second + rng.gauss(0, noise))) for second in range(60)]
    found = seconds(watched(pages), 0, 59)
    assert found["waiting_grows"] == grows
    assert found["waiting_slope_per_s"] == pytest.approx(per_s, abs=0.1)


def test_a_queue_that_is_there_but_stands_does_not_grow_in_nineteen_of_twenty_windows():
    """In closed loop the queue is what exceeds the batch; it wanders, each second near the one before."""
    grown = 0.0
    for seed in range(200):
        rng = random.Random(seed)
        waiting, samples = 40.0, []
        for _ in range(60):
            waiting += 0.5 * (40 - waiting) + rng.gauss(0, 3)
            samples.append(ServerSample(running=50, waiting=max(0.0, waiting)))
        grown += growth([second * 10**9 for second in range(60)], samples)["waiting_grows"]
    assert grown <= 10


def test_what_cannot_be_seen_is_trouble_and_no_figure():
    watch = watched([page(1, 5), OSError("connection refused"), "<html>", page(1, 7)])
    assert seconds(watch, 0, 9)["samples"] == 2
    assert seconds(watch, 0, 9)["waiting_mean"] == 6
    assert watch.trouble == ""
    assert watched([page(), OSError("connection refused")]).trouble == "no metrics: connection refused"
    assert watched([page(), "<html>"]).trouble == "the page has no metric that is known"


def test_a_page_that_does_not_come_is_given_up_and_the_next_look_is_in_time():
    looks: list[float] = []

    async def fetch() -> str:
        looks.append(trio.current_time())
        if len(looks) == 2:
            await trio.sleep(60)
        return page(len(looks))

    watch = ServerWatch(fetch, now_ns=lambda: round(trio.current_time() * 1e9))

    async def main() -> None:
        with trio.move_on_after(6.5):
            await watch.run()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    gaps = [round(later - looks[0], 3) for later in looks]
    assert gaps == [0, 1, 3, 4, 5, 6]
    assert len(watch._times) == 5


def test_a_slope_is_that_of_the_line_and_sure_where_nothing_varies():
    assert slope_of([(x, 3 * x + 1) for x in range(20)]) == (pytest.approx(3), 0.0)
    slope, error = slope_of([(float(x), float(y)) for x, y in enumerate([5, 1, 6, 2, 5, 1, 6, 2])])
    assert abs(slope) < error


class Page(BaseHTTPRequestHandler):
    """Answers as a server with metrics does, and with 404 elsewhere."""

    def do_GET(self) -> None:
        known = self.path == "/metrics"
        body = VLLM.encode() if known else b"no"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_real_server_is_looked_at_over_http(server_url: str):
    async def main() -> None:
        async with metrics_page(server_url) as fetch, metrics_page(f"{server_url}/none") as other:
            watch = ServerWatch(fetch, now_ns=lambda: 5)
            for _ in range(3):
                assert await watch.look() == parse_metrics(VLLM)
            assert watch.last == parse_metrics(VLLM)
            wrong = ServerWatch(fetch, other, now_ns=lambda: 5)
            assert await wrong.look() is None
            assert "/none answers with status 404" in wrong.trouble

    anyio.run(main)


def test_a_server_that_is_not_there_is_trouble_and_what_is_no_url_is_refused():
    async def main() -> None:
        async with metrics_page("http://127.0.0.1:9/metrics") as fetch:
            watch = ServerWatch(fetch, now_ns=lambda: 0)
            assert await watch.look() is None
            assert watch.trouble.startswith("no metrics")

    anyio.run(main)
    for url in ("ftp://x", "localhost:8000", "http://"):
        with pytest.raises(ConsoleError, match="no http"):
            anyio.run(metrics_page(url).__aenter__)
