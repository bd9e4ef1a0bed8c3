"""`ultra-console profile learnt`: what adaptive runs found, and the lines that put it into a profile."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.vocabulary.learnt import Learnt, age_text
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.profile.offered import LanePlace, Offer
    from console.records.learnt_store import KnownLane


@click.command("learnt")
@click.argument("name")
@click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a value of the profile first."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout.")
def learnt_command(name: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show what adaptive runs have found out about the lanes of a profile, and offer it to the profile.

    No secret is resolved and nothing is sent or changed. A lane is known by its base URL, its deployment and where its
    key is found.
    """
    import time

    from console.profile.load import load_profile
    from console.profile.offered import lane_places_of, offers
    from console.records.learnt_store import LearntStore

    loaded = load_profile(name, overrides, environ={})
    places = list(lane_places_of(loaded.profile))
    wall_s = time.time()
    known = known_lanes(places, LearntStore().read(wall_s, _warn).values())
    found = {lane_id: one.learnt for lane_id, one in known.items()}
    offered = offers(loaded.profile, places, found)
    if as_json:
        _print_json(places, known, offered, wall_s)
    elif not known:
        _say_nothing_is_known(name, simulated=not places)
    else:
        for line in learnt_table([place.lane.id for place in places], found, wall_s):
            click.echo(safe_line(line))
        _print_offers(name, offered)


def known_lanes(places: Sequence[LanePlace], entries: Iterable[KnownLane]) -> dict[str, KnownLane]:
    """Return what is known of each lane, by its id; of several entries that may be meant the youngest."""
    from console.broker.naming import plain_url
    from console.records.learnt_store import name_kept

    by_place: dict[tuple[str, str], list[KnownLane]] = {}
    for entry in entries:
        by_place.setdefault((entry.deployment, entry.key_source), []).append(entry)
    known: dict[str, KnownLane] = {}
    for place in places:
        url = None if place.base_url is None else name_kept(plain_url(place.base_url))
        meant = [
            entry
            for entry in by_place.get((name_kept(place.lane.deployment), name_kept(place.key_source)), ())
            if url is None or entry.base_url == url
        ]
        if meant:
            known[place.lane.id] = max(meant, key=lambda entry: entry.learnt.at_s)
    return known


def learnt_table(lane_ids: Sequence[str], found: Mapping[str, Learnt], wall_s: float) -> list[str]:
    """Return a line for each lane of which something is known."""
    from console.profile.table import text_table

    head = ["lane", "requests/s", "tokens/min", "in flight", "found"]
    body = [
        [
            lane_id,
            "-" if one.requests_per_s is None else f"{one.requests_per_s:.3g}",
            "-" if one.tokens_per_s is None else f"{60 * one.tokens_per_s:,.0f}",
            "-" if one.window is None else f"{one.window}{' cap' if one.capped else ''}",
            f"{age_text(one.age_s(wall_s))} ago",
        ]
        for lane_id in lane_ids
        if (one := found.get(lane_id)) is not None
    ]
    return text_table(head, body, {1, 2, 3, 4})


def _print_offers(name: str, offered: Sequence[Offer]) -> None:
    from console.profile.offered import SAFE

    click.echo()
    click.echo(f"offered to the profile: the least of the lanes, {SAFE:.0%} of its rates, rounded down")
    for offer in offered:
        click.echo(safe_line(f"  {offer.flags}"))
        for note in offer.notes:
            click.echo(safe_line(f"    {note}"))
    click.echo()
    for line in textwrap.wrap(
        f"try them with `ultra-console profile show {safe_line(name)} --rate-mode fixed` and the flags above; a run with "
        "--rate-mode adaptive begins from what was found by itself",
        80,
    ):
        click.echo(line)


def _say_nothing_is_known(name: str, *, simulated: bool) -> None:
    if simulated:
        click.echo("its providers are simulated: what is learnt of a simulator is gone with it")
        return
    click.echo(f"nothing is known of the lanes of {safe_line(name)}")
    click.echo(
        f"  run it once: ultra-console run --profile {safe_line(name)} --phase 5.1 --rate-mode adaptive"
    )


def _print_json(
    places: Sequence[LanePlace], known: Mapping[str, KnownLane], offered: Sequence[Offer], wall_s: float
) -> None:
    for place in places:
        entry = known.get(place.lane.id)
        if entry is None:
            continue
        learnt = entry.learnt
        _print(
            {
                "type": "learnt",
                "lane": place.lane.id,
                "provider": place.lane.provider,
                "model": place.lane.model,
                "deployment": place.lane.deployment,
                "key": place.lane.key,
                "class": place.model_class,
                "base_url": entry.base_url,
                "requests_per_s": learnt.requests_per_s,
                "tokens_per_min": None if learnt.tokens_per_s is None else 60 * learnt.tokens_per_s,
                "in_flight": learnt.window,
                "capped": learnt.capped,
                "found": datetime.fromtimestamp(learnt.at_s).astimezone().isoformat(timespec="seconds"),
                "age_s": round(learnt.age_s(wall_s), 1),
            }
        )
    for offer in offered:
        head = {"type": "offer", "limits": offer.table, "class": offer.model_class, "lanes": offer.lanes}
        _print({**head, "set": dict(offer.settings), "flags": offer.flags, "notes": offer.notes})


def _print(record: dict[str, Any]) -> None:
    click.echo(msgspec.json.encode(record).decode())


def _warn(text: str) -> None:
    click.echo(f"warning: {safe_line(text)}", err=True)
