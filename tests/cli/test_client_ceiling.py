"""What the client drives: which loads are tried, and what is made of them. Figures are the machine's, so none is asserted."""

from __future__ import annotations

import json

import anyio
import pytest
from commands import ultra_here

from console.cli.doctor import ceiling_lines
from console.client_ceiling import ClientCeiling, StreamStep, machine, measure_client, next_in_flight
from console.event_loop import loop_options
from console.vocabulary.client_health import ClientHealth

MOST = 6400


def step(
    in_flight: int, *, fit: bool = True, waited: float = 0.0, rate: float = 1.0, failed: int = 0
) -> StreamStep:
    health = ClientHealth(
        verdict="valid" if fit else "suspect",
        read_delay_p99_ms=1.0 if fit else 9.0,
        cpu_share=0.5,
        waited_share=waited,
    )
    return StreamStep(in_flight=in_flight, chunks_per_s=43.8 * in_flight * rate, health=health, failed=failed)


def tried(bears: int, most: int = MOST) -> list[int]:
    steps: list[StreamStep] = []
    while (count := next_in_flight(steps, most)) is not None:
        steps.append(step(count, fit=count <= bears))
        assert len(steps) < 20
    return [one.in_flight for one in steps]


def test_loads_double_and_then_close_in_on_where_the_client_ends():
    assert tried(500) == [100, 200, 400, 800, 600, 500]
    assert tried(100_000) == [100, 200, 400, 800, 1600, 3200, 6400]
    assert tried(100_000, most=700) == [100, 200, 400, 700]
    assert tried(30) == [100, 50, 25, 37, 31]
    assert tried(0) == [100, 50, 25, 12]


@pytest.mark.parametrize("bears", [25, 60, 130, 333, 1000, 4000, 6400])
def test_the_answer_is_near_and_never_more_than_it_bears(bears):
    steps = [step(count, fit=count <= bears) for count in tried(bears)]
    found = ClientCeiling(
        cores=2, open_files=9999, open_files_at_most=9999, event_loop="uvloop", steps=tuple(steps)
    )
    assert found.in_flight is not None
    assert bears / 1.3 <= found.in_flight <= bears


def test_a_step_that_others_disturbed_is_tried_once_more():
    disturbed = [step(100), step(200, fit=False, waited=0.3)]
    assert next_in_flight(disturbed, MOST) == 200
    assert next_in_flight([*disturbed, step(200)], MOST) == 400
    assert next_in_flight([*disturbed, step(200, fit=False, waited=0.3)], MOST) == 150
    assert next_in_flight([step(100), step(200, fit=False)], MOST) == 150


def test_a_simulator_that_is_late_or_refuses_ends_it_without_blaming_the_client():
    late = ClientCeiling(
        cores=2, open_files=9999, open_files_at_most=9999, event_loop="uvloop", requests_per_s=3000.0,
        steps=(step(100), step(200, rate=0.7)),
    )  # fmt: skip
    assert (late.in_flight, late.ended_by) == (100, "simulator")
    assert step(100, failed=1).limit == "simulator"
    text = "\n".join(ceiling_lines(late))
    assert "at least 100 in flight" in text
    assert "It was the simulator that ended it" in text


def test_people_read_what_it_means_for_a_ramp():
    found = ClientCeiling(
        cores=4, open_files=1024, open_files_at_most=4096, event_loop="uvloop", requests_per_s=3210.4, requests_cpu_share=0.6,
        steps=(step(100), step(200), step(400, fit=False, waited=0.2)),
    )  # fmt: skip
    text = "\n".join(ceiling_lines(found))
    assert "1,024: about 924 requests in flight" in text
    assert "may be raised: ulimit -n 4,096" in text
    assert "at least 3,210/s with short answers, 64 at once, one process, 60 % of a core" in text
    assert "about 200 in flight at 50 tokens/s with its clock right: 8,760 chunks/s" in text
    assert "up to --max-concurrency 200 is the server's; beyond it takes a quieter machine." in text
    assert "by its CPU time alone it would be 35,040 chunks/s at most" in text
    nothing = ClientCeiling(
        cores=1, open_files=64, open_files_at_most=64, event_loop="asyncio", requests_per_s=5.0, steps=(step(12, fit=False),)
    )  # fmt: skip
    assert "not right even with the fewest" in ceiling_lines(nothing)[-1]


def test_without_measuring_it_tells_the_machine():
    code, out, _ = ultra_here("doctor")
    assert code == 0
    assert "not measured: ultra-console doctor --client" in out
    code, out, _ = ultra_here("doctor", "--json")
    told = json.loads(out)
    assert (told["type"], told["requests_per_s"], told["in_flight"]) == ("client", None, None)
    assert told["connections"] == machine().connections


def test_it_really_drives_requests_and_streams():
    said: list[str] = []

    async def measured() -> ClientCeiling:
        return await measure_client(said.append, pace=1.0, most=4)

    found = anyio.run(measured, backend_options=loop_options())
    assert found.requests_per_s is not None
    assert found.requests_per_s > 0
    assert found.steps[0].in_flight == 4
    assert found.steps[0].failed == 0
    assert found.steps[0].chunks_per_s > 0
    assert said[0].startswith("requests")
