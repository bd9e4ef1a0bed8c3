"""An earlier run, as far as its results may stand for tests of a new one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from console.records.read_journal import SIMULATED_MARK, TEST_ROW_MARK, opened_segment, segments_of
from console.records.rows_codec import DamagedLine, UnknownRow, decode_line
from console.records.run_file import models_of_providers, read_run_file, simulated_providers
from console.vocabulary.errors import ConsoleError
from console.vocabulary.outcome import TERMINAL
from console.vocabulary.rows import RequestRow, TestRow

_READ_AHEAD_BYTES: Final = 1024 * 1024


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, and what decided it."""

    run_id: str
    seed: int
    library: str
    """Version of the task library; empty: an old run, which does not say."""
    protocols: Mapping[str, str]
    """Model → protocol, where it was not `tools`."""
    max_tokens: Mapping[str, int]
    """Model → the greatest length of a reply, where its profile said so."""
    scoring: Mapping[str, Any]
    simulated: frozenset[str]
    """Providers that were simulated, by its profile or by what they answered."""
    rows: Mapping[str, TestRow]
    """Test → the row that counts; only tests with a terminal verdict."""
    simulated_homes: frozenset[str] = frozenset()
    """Models that its profile has at a simulated provider: what it took over of them was simulated, wherever that was."""

    def was_simulated(self, row: TestRow) -> bool:
        """Say whether a result is simulated; one that was taken over names a provider of another run's profile."""
        if row.reused_from:
            return row.lane.model in self.simulated_homes
        return row.lane.provider in self.simulated


class _Plan(msgspec.Struct):
    seed: int
    jobs: list[Any]
    library: str = ""
    protocols: dict[str, str] = {}
    max_tokens: dict[str, int] = {}
    scoring: dict[str, Any] = {}


def read_earlier(run_dir: Path) -> EarlierRun:
    """Read a run, live or over; what is damaged in its journal is passed over.

    Raises:
        ConsoleError: if it is no run of phases, or cannot be read.
    """
    run_file = read_run_file(run_dir)
    try:
        plan = msgspec.json.decode((run_dir / "plan.json").read_bytes(), type=_Plan)
    except OSError as error:
        raise ConsoleError(
            f"cannot be read: {error.strerror or error}", where=str(run_dir / "plan.json")
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConsoleError(
            "is no run of phases, so there is no test to take from it", where=str(run_dir)
        ) from None
    rows, answered = _read(run_dir)
    simulated = simulated_providers(run_file.profile_record)
    return EarlierRun(
        run_id=run_file.run_id,
        seed=plan.seed,
        library=plan.library,
        protocols=plan.protocols,
        max_tokens=plan.max_tokens,
        scoring=plan.scoring,
        simulated=simulated | answered,
        rows=rows,
        simulated_homes=models_of_providers(run_file.profile_record, simulated),
    )


def _read(run_dir: Path) -> tuple[dict[str, TestRow], frozenset[str]]:
    """Return the rows of tests that count, and the providers that answered as simulated ones.

    Other lines are not decoded, as there are many times as many, but for one of each simulated provider.
    """
    rows: dict[str, TestRow] = {}
    simulated: dict[str, bytes] = {}
    for segment in segments_of(run_dir):
        try:
            with opened_segment(segment.path, _READ_AHEAD_BYTES) as file:
                for line in file:
                    is_test = line.startswith(TEST_ROW_MARK)
                    if not is_test and (
                        SIMULATED_MARK not in line or any(mark in line for mark in simulated.values())
                    ):
                        continue
                    with suppress(DamagedLine, UnknownRow):
                        row = decode_line(line)
                        if isinstance(row, TestRow) and row.verdict in TERMINAL:
                            rows.setdefault(row.test, row)
                        elif isinstance(row, RequestRow) and row.simulated:
                            name = row.lane.provider
                            simulated[name] = b'"provider":' + msgspec.json.encode(name)
        except OSError as error:
            raise ConsoleError(
                f"cannot be read: {error.strerror or error}", where=str(segment.path)
            ) from error
    return rows, frozenset(simulated)
