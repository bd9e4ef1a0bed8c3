"""What one run shares with the others on this machine: the limits of its lanes' scopes, and the keys that it leases.

Rates of all scopes and slots of outer scopes are shared by all runs whose profiles have such a limit there. Worker slots of
a lane are a run's own, and so are limits that each job has a copy of: the user wants them for each. Should the
files fail, the run says so once and its limits hold for it alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from console.broker.key_lease import KeyLease
from console.broker.naming import shared_name
from console.broker.share import Share
from console.broker.shared_pacer import SharedDepartures, SharedPacer, SharedPassage
from console.broker.shared_slots import SharedSlots
from console.broker.unusable import ShareError
from console.vocabulary.chat import Endpoint
from console.vocabulary.lane import Lane, LaneSetup, Limits, Scope, ScopedLimits
from console.vocabulary.secret import Secret

_ASK_AGAIN_NS: Final = 50_000_000
"""Slots of others come back without a word; they are asked for this often."""
_LOST_NS: Final = 1_000_000_000


class RunShare:
    """The shared limits of one engine process."""

    def __init__(
        self,
        setups: Sequence[LaneSetup],
        endpoints: Mapping[str, Endpoint],
        *,
        run_id: str,
        now_ns: Callable[[], int],
        own_lanes: frozenset[str] = frozenset(),
    ) -> None:
        """Open what the lanes of a run share.

        Args:
            setups: the lanes.
            endpoints: where each sends to.
            run_id: the run, for other runs to name.
            now_ns: the clock that all processes of the machine have in common.
            own_lanes: ids of lanes that nobody else can reach.
        """
        self._setups = {setup.lane.id: setup for setup in setups}
        self._endpoints = endpoints
        self._run_id = run_id
        self._holder = secrets.token_hex(8)
        """Its own, as runs with different `--out` may have one id: then they would share their keys."""
        self._now_ns = now_ns
        self._own_lanes = own_lanes
        self._pacers: dict[str, SharedPacer] = {}
        self._slots: dict[str, SharedSlots] = {}
        self._claimed_slots: dict[Scope, list[tuple[SharedSlots, int]]] = {}
        """By scope, the shared slots and how many the profile says; a model's may be several, one a provider."""
        self._claimed_rates: dict[Scope, list[tuple[SharedPacer, float, float]]] = {}
        """By scope, the shared pacers of requests per second, with the rate and the burst of the profile."""
        self._leases: dict[str, KeyLease] = {}
        self._share: Share | None = None
        self._told: Callable[[str], None] | None = None
        self.trouble = ""
        """Why limits hold for this run alone; empty: they do not."""
        if any(lane_id not in own_lanes for lane_id in self._setups):
            try:
                self._share = Share(now_ns=now_ns)
            except ShareError as error:
                self.fail(error)

    def tell(self, told: Callable[[str], None]) -> None:
        """Let trouble be told, that of before as well."""
        self._told = told
        if self.trouble:
            told(self.trouble)

    def fail(self, error: ShareError) -> None:
        """Share nothing any more, and claim nothing either: others would wait for it in vain."""
        if not self.trouble:
            self.trouble = f"limits hold for this run alone, whatever others send: {'; '.join(error.lines())}"
            if self._told is not None:
                self._told(self.trouble)
        share, self._share = self._share, None
        if share is not None:
            share.close()

    @property
    def works(self) -> bool:
        """Whether limits are shared."""
        return self._share is not None

    def close(self) -> None:
        """Give up all claims."""
        if self._share is not None:
            self._share.close()

    # Limits

    def shares(self, scope: Scope) -> bool:
        """Whether other runs count on this run's limit of a scope."""
        return self._share is not None and (scope in self._claimed_slots or scope in self._claimed_rates)

    def claim(self, scope: Scope, *, workers: int | None, qps: float | None) -> None:
        """Follow other limits that this run has on a scope, upwards only.

        A lower one is this run's own affair, and its own gate sees to it: told to the others, it would make every
        request cost them more than the profile says. A higher one has no effect unless it is claimed here as well;
        the others keep to theirs.
        """
        if self._share is None:
            return
        for slots, most in self._claimed_slots.get(scope, ()):
            slots.set_limit(max(most, workers or 0))
        for pacer, per_second, burst in self._claimed_rates.get(scope, ()):
            pacer.set_rate(max(per_second, qps or 0.0), burst)

    def beyond(self, lane_id: str) -> Beyond | None:
        """Return what requests of a lane pass besides the gates of this run; None: nothing."""
        setup = self._setups[lane_id]
        if self._share is None or lane_id in self._own_lanes:
            return None
        found = [(outer.scope, _whole(outer)) for outer in setup.outer]
        if setup.per == "lane":
            limits = setup.limits
            own = Limits(qps=limits.qps, rpm=limits.rpm, tpm=limits.tpm)
            found.append((Scope("lane", lane_id), own))
        try:
            pacers = [pacer for scope, limits in found for pacer in self._pacers_of(setup, scope, limits)]
            slots = [
                self._slots_of(setup, scope, limits.workers)
                for scope, limits in found
                if limits.workers is not None
            ]
        except ShareError as error:
            self.fail(error)
            return None
        for scope, limits in found:
            self._note_claims(setup, scope, limits)
        return Beyond(self, setup.lane.key_scope, pacers, slots, by_usage=setup.tpm_accounting == "actual")

    def _note_claims(self, setup: LaneSetup, scope: Scope, limits: Limits) -> None:
        """Remember what is shared of a scope, once, though several lanes have it."""
        if limits.workers is not None:
            slots = (self._slots[self._name("slots", setup, scope)], limits.workers)
            if slots not in (known := self._claimed_slots.setdefault(scope, [])):
                known.append(slots)
        if limits.qps is not None:
            rate = (self._pacers[self._name("qps", setup, scope)], limits.qps, setup.burst)
            if rate not in (rates := self._claimed_rates.setdefault(scope, [])):
                rates.append(rate)

    def _pacers_of(self, setup: LaneSetup, scope: Scope, limits: Limits) -> list[tuple[SharedPacer, bool]]:
        """Return pacers on requests and, last, on tokens, each with whether it counts tokens."""
        wanted = (
            ("qps", limits.qps, setup.burst, False),
            ("rpm", None if limits.rpm is None else limits.rpm / 60, setup.burst, False),
            ("tpm", None if limits.tpm is None else limits.tpm / 60, None, True),
        )
        return [
            (self._pacer(self._name(what, setup, scope), rate, rate if burst is None else burst), tokens)
            for what, rate, burst, tokens in wanted
            if rate is not None
        ]

    def _pacer(self, name: str, per_second: float, burst: float) -> SharedPacer:
        assert self._share is not None
        if name not in self._pacers:
            self._pacers[name] = self._share.pacer(name, per_second, burst)
        return self._pacers[name]

    def _slots_of(self, setup: LaneSetup, scope: Scope, limit: int) -> SharedSlots:
        assert self._share is not None
        name = self._name("slots", setup, scope)
        if name not in self._slots:
            self._slots[name] = self._share.slots(name, limit)
        return self._slots[name]

    def _name(self, what: str, setup: LaneSetup, scope: Scope) -> str:
        lane, endpoint = setup.lane, self._endpoints[setup.lane.id]
        parts, secret = _what_makes(scope, lane, endpoint)
        return shared_name(what, scope.kind, endpoint.base_url, *parts, secret=secret)

    # Keys

    def ask(self, key: str, now_ns: int) -> bool:
        """Ask for a key, or ask again, and return whether this run has it."""
        if self._share is None:
            return True
        try:
            lease = self._leases.get(key)
            if lease is None:
                lease = self._leases[key] = self._share.lease(
                    self._lease_name(key), run=self._run_id, holder=self._holder, job=""
                )
                return lease.request(now_ns)
            return lease.poll(now_ns)
        except ShareError as error:
            self.fail(error)
            return True

    def give_back(self, key: str, now_ns: int) -> None:
        """Let others have a key, or ask for it no more."""
        lease = self._leases.pop(key, None)
        if lease is not None and self._share is not None:
            try:
                lease.release(now_ns)
                lease.close()
            except ShareError as error:
                self.fail(error)

    def still_ours(self, key: str, now_ns: int) -> bool:
        """Say that a key is in use still, and return whether this run may go on using it."""
        lease = self._leases.get(key)
        if lease is None or self._share is None:
            return True
        try:
            if lease.renew(now_ns):
                return True
        except ShareError as error:
            self.fail(error)
            return True
        self.give_back(key, now_ns)
        return False

    def holder(self, key: str, now_ns: int) -> str:
        """Return who has a key that this run waits for, in words."""
        lease = self._leases.get(key)
        if lease is None or self._share is None:
            return ""
        try:
            runs = dict.fromkeys(ticket.run for ticket in lease.holders(now_ns))
        except ShareError as error:
            self.fail(error)
            return ""
        return f"{key} is in use by run {', '.join(runs)}" if runs else ""

    def lease_is_good(self, key: str, now_ns: int) -> bool:
        """Whether a request may be sent on a key: it is ours, or not leased."""
        lease = self._leases.get(key)
        return lease is None or lease.token is None or lease.is_ours(now_ns)

    def _lease_name(self, key: str) -> str:
        lane_id = next(lane_id for lane_id, setup in self._setups.items() if setup.lane.key_scope == key)
        endpoint = self._endpoints[lane_id]
        return shared_name("lease", "key", endpoint.base_url, secret=endpoint.secret)


class Beyond:
    """What a request passes besides the gates of its run: all at once, or nothing."""

    def __init__(
        self,
        share: RunShare,
        key: str,
        pacers: Sequence[tuple[SharedPacer, bool]],
        slots: Sequence[SharedSlots],
        *,
        by_usage: bool,
    ) -> None:
        self._share = share
        self._key = key
        self._pacers = list(pacers)
        self._passage = SharedPassage([pacer for pacer, _ in pacers])
        self._sendings = [pacer for pacer, tokens in pacers if not tokens]
        self._departures = SharedDepartures(self._sendings)
        self._slots = list(slots)
        self._by_usage = by_usage

    def try_pass(self, now_ns: int, estimated_tokens: float, ahead_ns: int = 0) -> int:
        """Pass and return 0, or hold nothing and return when to try again. Rates let pass what is due in `ahead_ns`."""
        if not self._share.works:
            return 0
        if not self._share.lease_is_good(self._key, now_ns):
            return now_ns + _LOST_NS
        try:
            if self._pacers and (wait_ns := self._passage.sure_wait_ns(now_ns, ahead_ns)):
                return now_ns + wait_ns
            for index, slots in enumerate(self._slots):
                if not slots.take():
                    self._give(self._slots[:index])
                    return now_ns + _ASK_AGAIN_NS
            if self._pacers:
                units = [estimated_tokens if tokens else 1.0 for _, tokens in self._pacers]
                wait_ns = self._passage.try_pass(now_ns, units, ahead_ns)
                if wait_ns:
                    self._give(self._slots)
                    return now_ns + wait_ns
                for pacer in self._sendings:
                    pacer.expect()
        except ShareError as error:
            self._share.fail(error)
        return 0

    def wait_ns(self, now_ns: int) -> int:
        """Return for how long a request that passed has to wait still before it is sent."""
        if not (self._sendings and self._share.works):
            return 0
        return max(0, self._departures.departs_ns() - now_ns)

    def claim(self, now_ns: int) -> int:
        """Return 0 if it is to be sent at once, which `sent` will tell; no other run sends in between. Else, as above."""
        if self._sendings and self._share.works:
            try:
                return self._departures.claim(now_ns)
            except ShareError as error:
                self._share.fail(error)
        return 0

    def sent(self, sent_ns: int, *, again: bool) -> None:
        """Note when a request that passed was really sent: requests keep their distance from there."""
        if self._sendings and self._share.works:
            try:
                self._departures.sent(sent_ns, again=again)
            except ShareError as error:
                self._share.fail(error)

    def unsent(self) -> None:
        """Note that a request which passed is not going to be sent."""
        self._departures.unsent()

    def leave(self, now_ns: int, estimated_tokens: float, used_tokens: float | None) -> None:
        """Note that a request that passed is not in flight any more."""
        if not self._share.works:
            return
        try:
            self._give(self._slots)
            if used_tokens is not None and self._by_usage:
                for pacer, tokens in self._pacers:
                    if tokens:
                        pacer.correct(now_ns, used_tokens - estimated_tokens)
        except ShareError as error:
            self._share.fail(error)

    @staticmethod
    def _give(slots: Sequence[SharedSlots]) -> None:
        for each in slots:
            if each.mine:
                each.give()


def _whole(outer: ScopedLimits) -> Limits:
    """Return the limits of a scope as the profile has them: all who share them count together."""
    limits = outer.limits
    workers = limits.workers if outer.whole_workers is None else outer.whole_workers
    return Limits(workers=workers, qps=limits.qps, rpm=limits.rpm, tpm=limits.tpm)


def _what_makes(scope: Scope, lane: Lane, endpoint: Endpoint) -> tuple[tuple[str, ...], Secret | None]:
    """Return what makes a scope the same for two runs, besides its base URL."""
    match scope.kind:
        case "provider":
            return (), None
        case "key":
            return (), endpoint.secret
        case "deployment":
            return (endpoint.deployment,), None
        case "model":
            return (lane.model,), None
        case "lane":
            return (endpoint.deployment,), endpoint.secret
