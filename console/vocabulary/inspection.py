"""What a watcher may ask of a run besides its snapshot: one lane in full, and the figures of the last minutes."""

from __future__ import annotations

import msgspec

from console.vocabulary.snapshot import LaneView


class GateView(msgspec.Struct, frozen=True, kw_only=True):
    """One gate that requests of a lane pass."""

    kind: str
    """lane, key, deployment, model or provider; found: the lane's limits as adaptive mode has found them."""
    name: str
    in_flight: int = 0
    most: int | None = None
    """Requests that may be in flight; None: unlimited."""
    waiting: int = 0
    qps: float | None = None
    rpm: float | None = None
    tpm: float | None = None
    profile_qps: float | None = None
    """What the profile says, where somebody has changed it since."""
    profile_most: int | None = None
    changed: bool = False
    """Whether somebody has changed it by hand."""


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a limit of the lane, by adaptive mode or by hand."""

    at_s: float
    what: str
    """workers, window, qps or tokens (per second)."""
    old: float | None
    new: float | None
    why: str = ""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """One request that did not succeed."""

    at_s: float
    outcome: str
    status: int | None = None
    text: str = ""
    """Made safe for a terminal, at most 300 characters."""
    test: str = ""


class LaneDetail(msgspec.Struct, frozen=True, kw_only=True, tag="lane_detail", tag_field="type"):
    """Everything about one lane now."""

    at_s: float
    """Seconds since the start of the run."""
    lane: LaneView
    gates: tuple[GateView, ...] = ()
    """Its own first, then what adaptive mode has found, then the outer ones."""
    outcomes: dict[str, int] = {}
    """Requests by outcome."""
    ttft_edges_ms: tuple[float, ...] = ()
    """Upper edges of the histogram's buckets, at most 12 of them; the last bucket has none."""
    ttft_counts: tuple[int, ...] = ()
    """One more than edges."""
    changes: tuple[LimitChange, ...] = ()
    """The last ones, newest last."""
    failures: tuple[Failed, ...] = ()
    """The last ones, newest last."""
    jobs: tuple[str, ...] = ()
    """Titles of the jobs with tests on it now."""
    holder: str = ""
    """Who has its key, where keys are leased."""


class Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Figures at one moment."""

    at_s: float
    in_flight: int = 0
    rate: float = 0.0
    tokens_per_s: float = 0.0
    errors_per_s: float = 0.0
    """Requests that ended neither ok nor cancelled, 429s included."""
    limit: int | None = None


class History(msgspec.Struct, frozen=True, kw_only=True, tag="history", tag_field="type"):
    """The last minutes, one point every `step_s`, oldest first; at most 10 minutes."""

    step_s: float
    total: tuple[Point, ...] = ()
    lanes: dict[str, tuple[Point, ...]] = {}
    """By id of lane: those that had anything. Where they are many, only the newest points of each."""
