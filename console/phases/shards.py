"""The shards of a job: its part on each lane that it may use."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.phases.arrange import Place
from console.phases.plan import Job, Shard
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import NO_KEY, Lane, LaneSetup, SplitRule


def with_shards(
    job: Job, place: Place, lanes: Sequence[LaneSetup], rule: SplitRule, delays: Sequence[float]
) -> Job:
    """Return a job with its shards: on all lanes of its model, of its one key, or of the keys that it may lease.

    Its tests are dealt to the shards beforehand only where the profile splits evenly and the policy leaves that
    to it: of keys that are leased nobody knows which one it will be.

    Raises:
        ConsoleError: if the model has no lane there.
    """
    own = [setup for setup in lanes if setup.lane.model == job.model and _used(setup.lane, place)]
    if not own:
        raise ConsoleError(f"model {job.model!r} has no lane: its keys or deployments are switched off")
    even = rule.kind == "even" and place.key is None and place.lease is None
    shards = tuple(
        Shard(
            lane_id=setup.lane.id,
            delay_s=delays[index] if index < len(delays) else (delays[-1] if delays else 0.0),
            tests=job.tests[index :: len(own)] if even else None,  # the first ones get one more
        )
        for index, setup in enumerate(own)
    )
    return msgspec.structs.replace(job, shards=shards)


def _used(lane: Lane, place: Place) -> bool:
    if place.lease is not None:
        return lane.key_scope in place.lease
    return place.key is None or lane.key in (place.key, NO_KEY)
