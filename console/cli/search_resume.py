"""Going on with a search in its own run directory: from its plan, its journal and the profile as it was."""

from __future__ import annotations

from console.cli.saying import say
from console.run_search import SearchRun, SearchSurroundings
from console.vocabulary.errors import ConsoleError


def resumed(run: str | None) -> SearchRun:
    """Return the search of a run, ready to go on.

    Raises:
        ConsoleError: if it is no search, is over, is running, or its profile cannot be read any more.
    """
    from console.capacity.search_request import read_search_request
    from console.capacity.search_result import SEARCH_FILE, read_search_result
    from console.cli.prompt_options import Prompts
    from console.profile.load import LoadedProfile
    from console.profile.write import profile_from_record
    from console.records.run_dir import find_run
    from console.records.run_file import RUN_FILE, read_run_file
    from console.records.run_lock import is_live

    run_dir = find_run(run)
    if is_live(run_dir):
        raise ConsoleError(
            "runs already", where=run_dir.name, hint=f"watch it: ultra-console attach {run_dir.name}"
        )
    search = read_search_request(run_dir)
    if (run_dir / SEARCH_FILE).exists() and read_search_result(run_dir).state == "finished":
        raise ConsoleError(
            "is over: there is nothing to go on with", where=run_dir.name,
            hint=f"ultra-console capacity show {run_dir.name}",
        )  # fmt: skip
    run_file = read_run_file(run_dir)
    prompts = Prompts.of_record(search.prompts)
    origin = str(run_dir / RUN_FILE)
    loaded = LoadedProfile(
        profile=profile_from_record(run_file.profile_record, origin),
        name=run_file.profile, origin=origin, path=None, text="",
    )  # fmt: skip
    around = SearchSurroundings(
        loaded=loaded,
        prompts=prompts.source(),
        prompt_tokens=0 if prompts.lengths is None else prompts.lengths[0],
        storage=run_file.storage,
        args=tuple(run_file.args),
        resumes=run_dir,
        processes=None,
    )
    say(f"goes on with {run_dir.name}", err=True)
    return SearchRun(search, around)
