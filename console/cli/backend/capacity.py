"""Capacity searches for the console: what one would drive, starting it, and what one found."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from console.cli.spawn import spawn_engine
from console.screens.capacity.command_line import arguments
from console.screens.capacity.needs import Found, Prospect, SearchAsked
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.capacity.search_request import SearchRequest
    from console.capacity.search_result import SearchResult

OptionsT = TypeVar("OptionsT")
_KILLED = "it was killed before it had its answer"


class Searching:
    """What the capacity screen asks."""

    def models(self, profile: str, changes: tuple[str, ...]) -> list[str]:
        """Return the models that have lanes under a profile."""
        from console.profile.effective import lane_setups
        from console.profile.load import load_profile

        loaded = load_profile(profile, changes, rate_mode="fixed")
        return list(dict.fromkeys(setup.lane.model for setup in lane_setups(loaded.profile)))

    def prospect(self, asked: SearchAsked) -> Prospect:
        """Return what a search would drive, in the words of its command where that would refuse it."""
        from console.cli.backend.absent import missing_secrets
        from console.profile.effective import totals
        from console.run_search import refuse_target, search_caps, search_lanes, within_profile

        request, loaded = _request_of(asked)
        lanes = search_lanes(loaded, request)
        if request.target is not None:
            refuse_target(lanes, request.target.qps)
        (row,) = totals(lanes)
        providers = loaded.profile.providers
        return Prospect(
            lanes=tuple(setup.lane.id for setup in lanes),
            caps=tuple(search_caps(lanes, request)),
            simulated=all(providers[setup.lane.provider].api == "sim" for setup in lanes),
            most=within_profile(request, lanes).most,
            qps_bound=row.qps_bound,
            missing=tuple(missing_secrets(lanes, providers)),
        )

    def start(self, asked: SearchAsked) -> Path:
        """Start a search that outlives this console."""
        return spawn_engine(arguments(asked))

    def resume(self, run_dir: Path) -> Path:
        """Go on with a search in a process of its own."""
        return spawn_engine(["capacity", "resume", str(run_dir)])

    def standing(self, run_dir: Path) -> Literal["live", "over", "other"]:
        """Say whether a run is a search that goes on, one that is over, or no search."""
        from console.records.run_file import read_run_head
        from console.records.run_list import SEARCH
        from console.records.run_lock import is_live

        try:
            if read_run_head(run_dir).title != SEARCH:
                return "other"
        except ConsoleError:
            return "other"
        return "live" if is_live(run_dir) else "over"

    def newest(self) -> Path | None:
        """Return the directory of the newest live search, if there is one."""
        from console.records.run_dir import list_runs
        from console.records.run_list import SEARCH

        live = (info for info in list_runs() if info.state == "live" and info.title == SEARCH)
        return next((info.run_dir for info in live), None)

    def found(self, run_dir: Path) -> Found:
        """Return what a search found that is over."""
        from console.cli.search_text import answer_lines, joint_lines
        from console.records.run_file import read_run_head
        from console.records.run_list import run_state

        state = run_state(run_dir)
        result, request = _result(run_dir, killed=state == "partial")
        whole = next((answer for answer in reversed(result.answers) if not answer.subject), None)
        ends: tuple[int | None, int | None] = (None, None)
        if request is not None:
            ends = request.search().ends([level for level in result.levels if not level.subject])

        def answer(width: int) -> list[str]:
            lines: list[str] = []
            for one in result.answers:
                told = answer_lines(one, width)
                lines += [f"{one.subject}: {told[0]}", *told[1:]] if one.subject and told else told
            return lines + joint_lines(result.answers)

        return Found(
            run_id=result.run_id,
            kind=result.kind,
            model=result.model,
            profile=read_run_head(run_dir).profile,
            simulated=result.simulated,
            state="partial" if state == "partial" else "finished" if state == "finished" else "interrupted",
            levels=result.levels,
            answer=answer,
            ends=ends,
            knee=whole.knee if whole is not None and whole.stopped_by == ("throughput",) else None,
            target_qps=None if whole is None else whole.target_qps,
        )


def _request_of(asked: SearchAsked) -> tuple[SearchRequest, Any]:
    """Return what the command makes of the same arguments, and the profile: both mean the same by construction.

    Raises:
        ConsoleError: in the words of the command where it would refuse them.
    """
    import click

    from console.capacity.ramp import RampSettings
    from console.capacity.target import TargetSettings
    from console.cli.capacity_search import qps_target, ramp
    from console.cli.prompt_options import Prompts
    from console.cli.search_options import Searching as SearchOptions
    from console.cli.target_options import Target

    command = ramp if asked.kind == "ramp" else qps_target
    try:
        params = command.make_context(asked.kind, arguments(asked)[2:]).params
    except click.ClickException as error:
        raise ConsoleError(error.format_message()) from None
    searching, prompts = _part(SearchOptions, params), _part(Prompts, params)
    request = searching.request(
        asked.model,
        prompts,
        ramp=RampSettings(most=asked.most) if asked.kind == "ramp" else None,
        target=TargetSettings(qps=params["qps"], most=asked.most) if asked.kind == "target" else None,
    )
    return request, _part(Target, params).load(asked.most)


def _part(kind: type[OptionsT], params: dict[str, Any]) -> OptionsT:
    """Return the options that are one value of the command."""
    return kind(**{field.name: params[field.name] for field in fields(kind)})  # pyright: ignore[reportArgumentType]


def _result(run_dir: Path, *, killed: bool) -> tuple[SearchResult, SearchRequest | None]:
    """Return what is in search.json; of a search that was killed what its journal says, which may be more."""
    from console.capacity.search_request import read_search_request
    from console.capacity.search_result import SEARCH_FILE, SearchResult, read_search_result
    from console.run_search import read_levels

    try:
        request = read_search_request(run_dir)
    except ConsoleError:
        request = None
    if request is None or (not killed and (run_dir / SEARCH_FILE).exists()):
        return read_search_result(run_dir), request
    levels, _ = read_levels(run_dir)
    search = request.search()
    names = dict.fromkeys([*(level.subject for level in levels), *([] if levels else [""])])
    answers = [search.answer([one for one in levels if one.subject == name], _KILLED) for name in names]
    import msgspec

    return SearchResult(
        run_id=run_dir.name,
        model=request.model,
        kind=search.kind,
        simulated=_simulated(run_dir),
        state="interrupted",
        answers=tuple(
            msgspec.structs.replace(answer, subject=name) for answer, name in zip(answers, names, strict=True)
        ),
        levels=levels,
    ), request


def _simulated(run_dir: Path) -> bool:
    from console.records.run_list import run_info

    return run_info(run_dir).simulated
