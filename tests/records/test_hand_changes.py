"""What was changed by hand while a run went on."""

from __future__ import annotations

from made_rows import LANE, S, judged, make_run, request, started

from console.records.hand_changes import HandChange, hand_changes
from console.vocabulary.names import TUNED
from console.vocabulary.rows import EventRow, LimitRow


def event(at_s: int, kind: str, text: str, subject: str = "") -> EventRow:
    return EventRow(at_ns=at_s * S, level="info", kind=kind, subject=subject, text=text)


def test_commands_and_switches_by_hand_are_told_and_nothing_else():
    rows = [
        started(),
        event(1, "job_started", "started, 12 tests", "m1"),
        event(2, "pause", "paused: nothing new is sent"),
        request(1),
        event(3, TUNED, "workers 100 → 20", LANE.id),
        LimitRow(at_ns=4 * S, lane=LANE, what="rate", before=2.0, after=1.9, reason="429"),
        LimitRow(at_ns=5 * S, lane=LANE, what="rate", before=None, after=1.5, reason="by hand: held"),
        event(6, "lane_off", "switched off by hand", LANE.id),
        event(7, "lane_off", "switched off: 401", LANE.id),
        judged(1),
    ]
    assert hand_changes(make_run(rows)) == (
        HandChange(2.0, "", "paused: nothing new is sent"),
        HandChange(3.0, LANE.id, "workers 100 → 20"),
        HandChange(5.0, LANE.id, "rate none → 1.5"),
        HandChange(6.0, LANE.id, "switched off by hand"),
    )
