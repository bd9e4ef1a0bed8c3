"""Utility: keeping, noting and telling."""

from __future__ import annotations

from typing import Any, Final

from console.work.toolbox.file_operations import as_cell
from console.work.toolbox.lookup import value
from console.work.toolbox.parameters import OUTPUT, choice, takes, text
from console.work.world import Effect, ErrorCode, Tool, ToolError, World

LOG: Final = "log"
_CODES: Final = (ErrorCode.INVALID_INPUT, ErrorCode.OPERATION_FAILED, ErrorCode.TIMEOUT)


def _cache(world: World, given: dict[str, Any]) -> Effect:
    return Effect(
        {"key": given["key"], "kept": True}, (("cache", given["key"], value(world, given["source"])),)
    )


def _log(world: World, given: dict[str, Any]) -> Effect:
    entry = {"level": given["level"], "content": value(world, given["source"])}
    lines = [*world["log"].get(LOG, []), entry]
    return Effect({"lines": len(lines)}, (("log", LOG, lines),))


def _track(world: World, given: dict[str, Any]) -> Effect:
    state = {"status": given["status"], "content": value(world, given["source"])}
    told = {"subject": given["subject"], "status": given["status"]}
    return Effect(told, (("tracked", given["subject"], state),))


def _notify(world: World, given: dict[str, Any]) -> Effect:
    sent = [*world["notified"].get(given["recipient"], []), value(world, given["source"])]
    told = {"recipient": given["recipient"], "messages": len(sent)}
    return Effect(told, (("notified", given["recipient"], sent),))


def _lines(content: Any) -> list[str]:
    if isinstance(content, list):
        rows: list[Any] = content  # pyright: ignore[reportUnknownVariableType]
        return [
            ", ".join(f"{key} {as_cell(cell)}" for key, cell in row.items())  # pyright: ignore[reportUnknownVariableType]
            if isinstance(row, dict)
            else as_cell(row)
            for row in rows
        ]
    if isinstance(content, dict):
        return [f"{key} {as_cell(cell)}" for key, cell in content.items()]  # pyright: ignore[reportUnknownVariableType]
    return [as_cell(content)]


def _format(world: World, given: dict[str, Any]) -> Effect:
    lines = _lines(value(world, given["source"]))
    if not lines:
        raise ToolError(ErrorCode.OPERATION_FAILED, f"{given['source']!r} is empty")
    shapes = {
        "bullets": "\n".join(f"- {line}" for line in lines),
        "numbered": "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)),
        "sentence": "; ".join(lines) + ".",
    }
    made = {"text": shapes[given["style"]], "origin": "tool"}
    return Effect(
        {"document": given["output"], "text": made["text"]}, (("documents", given["output"], made),)
    )


_SOURCE: Final = text("name of a dataset, a result, a document, or of a service that was monitored")

UTILITY: Final = (
    Tool(
        name="utility_cache",
        category="utility",
        description="Keep something under a key for quick use.",
        parameters=takes(key=text("the key"), source=_SOURCE),
        codes=_CODES,
        run=_cache,
    ),
    Tool(
        name="utility_logger",
        category="utility",
        description="Add something to the log.",
        parameters=takes(level=choice("its level", "info", "warning", "error"), source=_SOURCE),
        codes=_CODES,
        run=_log,
    ),
    Tool(
        name="utility_tracker",
        category="utility",
        description="Note how a subject stands, and with what.",
        parameters=takes(
            subject=text("name of the subject"),
            status=choice("how it stands", "open", "running", "done"),
            source=_SOURCE,
        ),
        codes=_CODES,
        run=_track,
    ),
    Tool(
        name="utility_notifier",
        category="utility",
        description="Send something to a person or a team.",
        parameters=takes(recipient=text("who gets it"), source=_SOURCE),
        codes=_CODES,
        run=_notify,
    ),
    Tool(
        name="utility_helper",
        category="utility",
        description="Make a document for people of a dataset or a result.",
        parameters=takes(
            source=_SOURCE,
            style=choice("how it looks", "bullets", "numbered", "sentence"),
            output=OUTPUT,
        ),
        codes=_CODES,
        run=_format,
    ),
)
