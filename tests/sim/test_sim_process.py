"""The simulator as a process: it is ready soon, and never outlives its parent. And as a command for people."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import anyio
import httpx
import pytest

from console.cli.simulator import FLAG_HELP, simulator
from console.sim.config import SimConfig, config_to_json
from console.sim.process import simulator_process
from console.vocabulary.errors import ConsoleError
from console.vocabulary.simulated import SimBehaviour


@contextmanager
def running(command: list[str], **pipes: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that does not outlive the block, whatever fails in it."""
    with subprocess.Popen(command, **pipes) as child:
        try:
            yield child
        finally:
            child.kill()


COMMAND = [sys.executable, "-m", "console", "simulator"]
QUICK = SimBehaviour(ttft_ms=1.0, itl_ms=0.0, output_tokens=3)
TWO = SimConfig(providers={"azure": SimBehaviour(dialect="azure", ttft_ms=1.0, itl_ms=0.0), "lab": QUICK})
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.anyio
async def test_a_simulator_process_serves_all_its_providers():
    async with simulator_process(TWO) as urls:
        assert set(urls) == {"azure", "lab"}
        assert urls["lab"].endswith("/lab/v1")
        assert urls["azure"].endswith("/azure")
        async with httpx.AsyncClient(trust_env=False) as client:
            lab = await client.post(urls["lab"] + "/chat/completions", json=BODY)
            path = "/openai/deployments/gpt/chat/completions?api-version=1"
            azure = await client.post(urls["azure"] + path, json=BODY)
    assert (lab.status_code, azure.status_code) == (200, 200)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(urls["lab"] + "/models")


@pytest.mark.anyio
async def test_a_simulator_process_ends_when_its_block_is_cancelled():
    urls: dict[str, str] = {}
    with anyio.CancelScope() as scope:
        async with simulator_process(TWO) as listening:
            urls |= listening
            scope.cancel()
            await anyio.sleep_forever()
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(urls["lab"] + "/models")


@pytest.mark.anyio
async def test_a_wrong_configuration_starts_no_process():
    with pytest.raises(ConsoleError, match="cannot name"):
        async with simulator_process(SimConfig(providers={"a b": QUICK})):
            pass


@pytest.mark.anyio
async def test_a_child_that_does_not_start_is_said_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConsoleError, match="did not start"):
        async with simulator_process(TWO):
            pass


def test_a_killed_parent_leaves_no_simulator_behind():
    script = (
        "import anyio\n"
        "from console.sim.process import simulator_process\n"
        "from console.sim.config import SimConfig\n"
        "from console.vocabulary.simulated import SimBehaviour\n"
        "async def main():\n"
        "    async with simulator_process(SimConfig(providers={'lab': SimBehaviour()})) as urls:\n"
        "        print(urls['lab'], flush=True)\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    with running([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().decode().strip()
        assert httpx.get(url + "/models", trust_env=False).status_code == 200
        parent.kill()
        parent.wait(5)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            httpx.get(url + "/models", trust_env=False)
        except httpx.TransportError:
            return
    pytest.fail("the simulator outlived its parent")


def test_it_ends_at_the_end_of_stdin_with_exit_code_0():
    with subprocess.Popen(
        [*COMMAND, "--config-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(config_to_json(TWO) + b"\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["listening"] > 0
        child.send_signal(signal.SIGINT)  # Ctrl-C is the parent's business
        child.stdin.close()
        assert child.wait(5) == 0
        assert child.stdout.read() == b""


def test_a_malformed_configuration_ends_it_with_exit_code_2():
    done = subprocess.run(
        [*COMMAND, "--config-stdin"], input=b"{\n", capture_output=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert b"stdin: the simulator's configuration is malformed" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_listens_and_ends_cleanly(end: signal.Signals):
    command = [
        *COMMAND,
        "--port",
        "0",
        "--ttft-ms",
        "1",
        "--itl-ms",
        "0",
        "--output-tokens",
        "3",
        "--slots",
        "2",
    ]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        first = child.stdout.readline().decode().strip()
        assert first.startswith("SIMULATED provider (openai), listening. Base URL: http://127.0.0.1:")
        assert "curl" in child.stdout.readline().decode().strip()
        url = first.split()[-1]
        assert httpx.post(url + "/chat/completions", json=BODY, trust_env=False).status_code == 200
        child.send_signal(end)
        assert child.wait(5) == 0
        rest = child.stdout.read().decode()
        assert "SIMULATED provider ended: 1 requests (1 ok" in rest
        assert child.stderr.read() == b""


def test_wrong_flags_and_a_port_in_use_are_exit_code_2():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, timeout=10, check=False)
    assert busy.returncode == 2
    assert f"port {port} is in use".encode() in busy.stderr
    assert b"hint: " in busy.stderr
    wrong = subprocess.run([*COMMAND, "--slots", "0"], capture_output=True, timeout=10, check=False)
    assert wrong.returncode == 2
    assert b"--slots" in wrong.stderr
    assert b"Traceback" not in busy.stderr + wrong.stderr


def test_every_setting_has_a_flag():
    names = {field.name for field in fields(SimBehaviour)}
    assert set(FLAG_HELP) == names
    assert names <= {parameter.name for parameter in simulator.params}


def test_the_process_imports_nothing_slow():
    program = (
        "import sys, console.cli.simulator\n"
        "print(*sorted({'pydantic', 'textual', 'httpx', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=10, check=True, text=True
    )
    assert done.stdout.strip() == ""
