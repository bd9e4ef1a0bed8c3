"""What a host does with an engine that cannot go on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import anyio
import anyio.lowlevel
import pytest

from console.host import attended
from console.vocabulary.errors import ConsoleError


class Broken:
    """An engine whose processes do not start."""

    steering = SimpleNamespace(obey=None)

    def look(self):
        raise AssertionError("nobody looks")

    async def inspect(self, lane_id):
        raise AssertionError("nobody looks")

    def recall(self):
        raise AssertionError("nobody looks")

    async def run(self):
        await anyio.lowlevel.checkpoint()
        raise ConsoleError("engine process 1 did not start")


async def for_ever(*_) -> None:
    await anyio.sleep_forever()


def test_what_an_engine_complains_of_reaches_the_user_as_it_is_and_in_no_group(tmp_path: Path):
    async def attend() -> None:
        await attended(
            Broken(), tmp_path, tmp_path / "s", narrate=for_ever, started=lambda run_dir: None, keep=for_ever
        )

    with pytest.raises(ConsoleError, match="did not start"):
        anyio.run(attend)
