"""What surrounds an engine while it runs: run directory, lock, journal, simulator, control socket, signals.

Phases and capacity levels are hosted alike. Whatever a user can get wrong has been found before, except what
only shows now: secrets that are not there and a run directory that cannot be made; both leave nothing behind.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import anyio
import msgspec

from console import __version__
from console.broker.run_share import RunShare
from console.control.address import socket_path
from console.control.server import ControlServer
from console.durable import write_atomic
from console.engine.board import Headline
from console.engine.self_check import SelfCheck
from console.engine.steering import Steering
from console.heap import settled_heap
from console.learning import Learning
from console.llm.client import LlmClient
from console.llm.read_probe import read_probe
from console.own_time import cpu_ns, waited_ns
from console.profile.effective import timeouts
from console.profile.load import LoadedProfile
from console.profile.secrets import resolve_endpoints
from console.profile.write import profile_record
from console.records.journal import JournalBlocked
from console.records.paired_writer import RowsOfRun, open_rows
from console.records.run_dir import create_run_dir, new_run_id
from console.records.run_file import RunFile, read_run_file, write_run_file
from console.records.run_lock import hold_run_lock
from console.sim.config import SimConfig
from console.sim.process import simulator_process
from console.vocabulary.chat import Endpoint
from console.vocabulary.command import Refused
from console.vocabulary.errors import ConsoleError, ExitCode
from console.vocabulary.inspection import History, LaneDetail
from console.vocabulary.lane import LaneSetup
from console.vocabulary.learnt import Learnt
from console.vocabulary.rows import RunStarted
from console.vocabulary.snapshot import RunState, Snapshot
from console.vocabulary.trace import Traces


class Watched(Protocol):
    """What runs, as those see it who watch and steer it."""

    steering: Steering

    def look(self) -> Snapshot:
        """Return the picture now."""
        ...

    async def inspect(self, lane_id: str) -> LaneDetail | Refused:
        """Return everything about one lane."""
        ...

    def recall(self) -> History | Refused:
        """Return the figures of the last minutes."""
        ...

    async def run(self) -> RunState:
        """Run to the end."""
        ...


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an engine is given by its host."""

    headline: Headline
    client: LlmClient
    endpoints: Mapping[str, Endpoint]
    journal: RowsOfRun
    now_ns: Callable[[], int]
    start_ns: int
    self_check: SelfCheck
    wall: str
    """Wall time of the start, which rows count from."""
    sharing: RunShare
    """What this run shares with others on the machine."""
    learning: Learning
    """What earlier runs learnt of limits that adaptive mode finds, and where this one leaves what it learns."""
    own_lanes: frozenset[str]
    """Lanes of simulators of this run's own, which nobody else can reach."""
    announce_segment: Callable[[str], None]
    """Puts a segment that another process of the run writes into `run.toml`."""


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be hosted, as the run directory tells it later."""

    title: str
    """Such as `5.1`; part of the run's id."""
    loaded: LoadedProfile
    lanes: tuple[LaneSetup, ...]
    seed: int
    plan: Any
    """Written to plan.json."""
    phases: tuple[str, ...] = ()
    selection: dict[str, Any] = {}
    out: Path | None = None
    run_id: str | None = None
    storage: str = "parquet"
    processes: int = 1
    """Engine processes; with more than one, this one only coordinates."""
    traces: Traces = "none"
    """What is kept of what is said in tests."""
    args: tuple[str, ...] = ()
    resumes: Path | None = None
    """The run directory in which it goes on; None: it begins in a new one."""


Narrate = Callable[[Watched, Path], Coroutine[Any, Any, None]]
"""Tells somebody how the run goes, until it is cancelled."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, and where it is."""

    run_dir: Path
    state: RunState
    found: Mapping[str, Learnt] = {}
    """By lane id, the limits that adaptive mode has found."""
    kept: frozenset[str] = frozenset()
    """Ids of lanes of which they are kept for the next run."""
    not_kept: str = ""
    """Why nothing is, where that is not as it should be."""


def beside(narrate: Narrate, task: Callable[[], Coroutine[Any, Any, None]]) -> Narrate:
    """Return what narrates with a task going on meanwhile."""

    async def narrate_beside(engine: Watched, run_dir: Path) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(task)
            await narrate(engine, run_dir)

    return narrate_beside


async def host(
    what: Hosting, make: Callable[[Seat], Watched], narrate: Narrate, started: Callable[[Path], None]
) -> Ended:
    """Host one engine from its run directory to its last row.

    Args:
        what: what is to be hosted.
        make: makes the engine.
        narrate: tells how it goes.
        started: told the run directory once commands are taken.

    Raises:
        ConsoleError: if a secret is not there, or the run directory cannot be made.
    """
    now_ns = time.perf_counter_ns
    async with simulated(what) as sim_urls:
        endpoints = resolve_endpoints(what.loaded, what.lanes, sim_urls)
        created = datetime.now().astimezone()
        run_dir = what.resumes or _new_run_dir(what, created)
        run_file = _run_file(what, run_dir, created, simulated=bool(sim_urls))
        with open_files(run_dir, run_file, what.plan, resumed=what.resumes is not None) as (
            journal,
            announce_segment,
        ):
            start_ns = now_ns()
            wall = created.isoformat(timespec="milliseconds")
            journal.append(
                RunStarted(
                    run_id=run_file.run_id,
                    pid=os.getpid(),
                    wall=wall,
                    start_ns=start_ns,
                    resumed=what.resumes is not None,
                )
            )
            headline = Headline(
                run_id=run_file.run_id,
                run_dir=str(run_dir),
                pid=os.getpid(),
                title=what.title,
                profile=what.loaded.name,
                simulated=bool(sim_urls),
            )
            self_check = SelfCheck(cpu_ns, waited_ns)
            own_lanes = frozenset(setup.lane.id for setup in what.lanes if setup.lane.provider in sim_urls)
            shared = RunShare(
                what.lanes, endpoints, run_id=run_file.run_id, now_ns=now_ns, own_lanes=own_lanes
            )
            learning = Learning(what.lanes, endpoints, own_lanes=own_lanes)
            async with AsyncExitStack() as stack:
                stack.enter_context(closing(shared))
                stack.enter_context(closing(learning))
                client = await stack.enter_async_context(
                    LlmClient(timeouts=timeouts(what.loaded.profile), now_ns=now_ns)
                )
                engine = make(
                    Seat(
                        headline=headline,
                        client=client,
                        endpoints=endpoints,
                        journal=journal,
                        now_ns=now_ns,
                        start_ns=start_ns,
                        self_check=self_check,
                        wall=wall,
                        sharing=shared,
                        learning=learning,
                        own_lanes=own_lanes,
                        announce_segment=announce_segment,
                    )
                )
                if what.processes == 1:
                    stack.enter_context(read_probe(self_check, now_ns))
                with settled_heap():
                    control = Path(run_file.control_socket)
                    state = await attended(engine, run_dir, control, narrate, started, learning.keep)
    return Ended(
        run_dir=run_dir, state=state, found=learning.found, kept=learning.kept, not_kept=learning.trouble
    )


@asynccontextmanager
async def simulated(what: Hosting) -> AsyncGenerator[dict[str, str], None]:
    """Run a simulator for the simulated providers in use, if there are any; yield their base URLs."""
    profile = what.loaded.profile
    used = {setup.lane.provider for setup in what.lanes}
    behaviours = {
        name: provider.sim_behaviour
        for name, provider in profile.providers.items()
        if name in used and provider.api == "sim"
    }
    if not behaviours:
        yield {}
        return
    model_of = {setup.lane.deployment: setup.lane.model for setup in what.lanes}
    async with simulator_process(SimConfig(seed=what.seed, providers=behaviours, model_of=model_of)) as urls:
        yield urls


def _new_run_dir(what: Hosting, created: datetime) -> Path:
    run_id = what.run_id or new_run_id(created, what.title, what.loaded.name, what.out)
    return create_run_dir(what.out, run_id, numbered=what.run_id is None)


def _run_file(what: Hosting, run_dir: Path, created: datetime, *, simulated: bool) -> RunFile:
    return RunFile(
        run_id=run_dir.name,
        title=what.title,
        profile=what.loaded.name,
        profile_record=profile_record(what.loaded.profile),
        phases=list(what.phases),
        selection=what.selection,
        seed=what.seed,
        versions={
            "ultra-console": __version__,
            "python": sys.version.split()[0],
            **{name: version(name) for name in ("anyio", "httptools", "httpx", "msgspec")},
        },
        created=created.isoformat(timespec="seconds"),
        pid=os.getpid(),
        args=list(what.args),
        simulated=simulated,
        control_socket=str(socket_path(run_dir)),
        storage=what.storage,
        processes=what.processes,
        traces=what.traces,
    )


@contextmanager
def open_files(
    run_dir: Path, run_file: RunFile, plan: Any, *, resumed: bool = False
) -> Generator[tuple[RowsOfRun, Callable[[str], None]]]:
    """Write run.toml and plan.json, hold the run's lock, and yield the journal and what announces a segment.

    A run that goes on keeps its plan, and of its run.toml when it was created and by what.
    """
    with hold_run_lock(run_dir):
        segments: list[str] = []
        if resumed:
            before = read_run_file(run_dir)
            segments += before.segments
            run_file = msgspec.structs.replace(
                before, pid=run_file.pid, control_socket=run_file.control_socket, versions=run_file.versions
            )
        write_run_file(run_dir, run_file)
        if not resumed:
            write_atomic(run_dir / "plan.json", plan_bytes(plan))

        def rotated(name: str) -> None:
            segments.append(name)
            write_run_file(run_dir, msgspec.structs.replace(run_file, segments=list(segments)))

        # Who only coordinates hears nothing of what is said in tests.
        traces: Traces = run_file.traces if run_file.processes == 1 else "none"
        journal = open_rows(run_dir, traces=traces, on_rotate=rotated)
        try:
            yield journal, rotated
        finally:
            _close(journal, run_dir)


def plan_bytes(plan: Any) -> bytes:
    """Return a plan as `plan.json` holds it."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1)


def _close(journal: RowsOfRun, run_dir: Path) -> None:
    try:
        journal.close()
    except JournalBlocked as error:
        raise ConsoleError(
            f"stopped while the disk took no rows: {error.strerror}; the last {error.pending_rows} rows, of requests "
            "and tests that were not finished yet, are not in the journal",
            where=str(run_dir),
            hint="everything that was finished is; make room, then `ultra-console summary` shows it",
            exit_code=ExitCode.INTERRUPTED,
        ) from None


async def attended(
    engine: Watched,
    run_dir: Path,
    control: Path,
    narrate: Narrate,
    started: Callable[[Path], None],
    keep: Callable[[], Coroutine[Any, Any, None]],
) -> RunState:
    """Run an engine with its control socket, its narrator, what keeps what it learns, and the process's signals."""
    server = ControlServer(
        look=engine.look, obey=engine.steering.obey, inspect=engine.inspect, recall=engine.recall
    )
    state: RunState = "interrupted"
    failure: ConsoleError | None = None
    async with anyio.create_task_group() as group:
        await group.start(server.serve, control)
        group.start_soon(_obey_signals, engine.steering)
        group.start_soon(narrate, engine, run_dir)
        group.start_soon(keep)
        started(run_dir)
        try:
            state = await engine.run()
        except ConsoleError as error:
            failure = error  # raised outside, where no group wraps it
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return state


async def _obey_signals(steering: Steering) -> None:
    """SIGINT drains, and stops when it comes again; SIGTERM stops; SIGHUP is none of our business."""
    with anyio.open_signal_receiver(*_signals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))) as received:
        async for number in received:
            if number == signal.SIGINT and not steering.draining:
                steering.drain("Ctrl-C")
            elif number == signal.SIGINT:
                steering.stop("Ctrl-C")
            elif number == signal.SIGTERM:
                steering.stop("SIGTERM")


def _signals(wanted: Iterable[signal.Signals]) -> list[signal.Signals]:
    """Leave out those that this process was told to ignore, as `nohup` does with SIGHUP."""
    return [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]
