"""What the record says when jobs begin and change their keys, in one process as in several."""

from __future__ import annotations

from collections.abc import Iterable

from console.engine.recording import Recorder
from console.phases.plan import Job


def record_started(recorder: Recorder, job: Job, key: str | None) -> None:
    """Say that a job has started, and on which key if it leases one."""
    on = "" if key is None else f" on key {key}"
    recorder.event("info", "job_started", job.id, f"started, {len(job.tests)} tests{on}", key=key or "")


def record_goes_on(recorder: Recorder, job: Job, key: str | None) -> None:
    """Say that a job goes on with another key."""
    recorder.event("info", "lease", job.id, f"goes on with key {key}", key=key or "")


def record_leaves(recorder: Recorder, job: Job, key: str) -> None:
    """Say that a job has to leave a key."""
    recorder.event("warn", "lease", job.id, f"leaves key {key}")


def record_lost(recorder: Recorder, keys: Iterable[str]) -> None:
    """Say that keys went to other runs while this one was stopped."""
    for key in keys:
        recorder.event("warn", "lease", key, "lost to another run, as this one was stopped for too long")


def holders_of(leases: Iterable[tuple[str | None, Job]]) -> dict[str, str]:
    """Return key → the ids of the jobs that hold it, in words."""
    held: dict[str, list[str]] = {}
    for key, job in leases:
        if key is not None:
            held.setdefault(key, []).append(job.id)
    return {key: ", ".join(jobs) for key, jobs in held.items()}
