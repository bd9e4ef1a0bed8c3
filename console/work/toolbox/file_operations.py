"""File operations: a handful of text files, some of them locked."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from console.work.toolbox.data_processing import rows_of
from console.work.toolbox.lookup import Row, file_text, is_number, value
from console.work.toolbox.parameters import OUTPUT, choice, takes, text
from console.work.world import Effect, ErrorCode, Tool, ToolError, World

LOCKED: Final = "locked/"
"""Nothing can be written below this folder."""
_MOST_CHARS: Final = 50_000
"""A file is so long at most: writing a text as json again and again would double it each time."""
_CODES: Final = (
    ErrorCode.INVALID_INPUT,
    ErrorCode.OPERATION_FAILED,
    ErrorCode.TIMEOUT,
    ErrorCode.FILE_NOT_FOUND,
    ErrorCode.PERMISSION_DENIED,
)


def as_text(content: Any, form: str) -> str:
    """Return a value as the text of a file.

    Raises:
        ToolError: if it cannot be written in this form.
    """
    if form == "json":
        return msgspec.json.encode(content).decode()
    if form == "csv":
        if not (isinstance(content, list) and content and all(isinstance(row, dict) for row in content)):  # pyright: ignore[reportUnknownVariableType]
            raise ToolError(ErrorCode.INVALID_INPUT, "only a dataset with rows can be written as csv")
        rows = cast("list[Row]", content)
        lines = [",".join(rows[0]), *(",".join(str(cell) for cell in row.values()) for row in rows)]
        return "\n".join(lines)
    return content if isinstance(content, str) else msgspec.json.encode(content).decode()


def _written(path: str, content: str) -> Effect:
    if path.startswith(LOCKED):
        raise ToolError(ErrorCode.PERMISSION_DENIED, f"nothing can be written to {path!r}")
    if len(content) > _MOST_CHARS:
        raise ToolError(ErrorCode.OPERATION_FAILED, f"a file holds {_MOST_CHARS:,} characters at most")
    return Effect({"path": path, "characters": len(content)}, (("files", path, content),))


def _read(world: World, given: dict[str, Any]) -> Effect:
    content = file_text(world, given["path"])
    made = {"text": content, "origin": "file"}
    told = {"document": given["output"], "text": content}
    return Effect(told, (("documents", given["output"], made),))


def _write(world: World, given: dict[str, Any]) -> Effect:
    return _written(given["path"], as_text(value(world, given["source"]), given["format"]))


def _scan(world: World, given: dict[str, Any]) -> Effect:
    folder = given["folder"].rstrip("/") + "/"
    found = sorted(
        path for path in world["files"] if path.startswith(folder) and path.endswith(given["ending"])
    )
    if not found:
        raise ToolError(ErrorCode.FILE_NOT_FOUND, f"nothing in {folder!r} ends in {given['ending']!r}")
    return Effect({"result": given["output"], "files": found}, (("results", given["output"], found),))


def _convert(world: World, given: dict[str, Any]) -> Effect:
    content = file_text(world, given["path"])
    form = "json" if content[:1] in ("[", "{") else "csv"
    return _written(given["output_path"], as_text(rows_of(content, form), given["to"]))


def packed(content: str) -> str:
    """Return a text packed by a list of its words: each one once, then their numbers in order."""
    words = content.replace(",", " , ").replace("\n", " \n ").split(" ")
    known = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return msgspec.json.encode({"words": list(known), "order": [known[word] for word in words]}).decode()


def _compress(world: World, given: dict[str, Any]) -> Effect:
    return _written(given["output_path"], packed(file_text(world, given["path"])))


def as_cell(cell: Any) -> str:
    """Return a cell as it is shown to people."""
    return f"{cell:g}" if is_number(cell) else str(cell)


FILE_OPERATIONS: Final = (
    Tool(
        name="file_reader",
        category="file operations",
        description="Read a file into a document.",
        parameters=takes(path=text("path of the file"), output=OUTPUT),
        codes=_CODES,
        run=_read,
    ),
    Tool(
        name="file_writer",
        category="file operations",
        description="Write a dataset, a result or a document to a file.",
        parameters=takes(
            path=text("path of the file"),
            source=text("name of what is written"),
            format=choice("how: csv for datasets only", "json", "csv", "text"),
        ),
        codes=_CODES,
        run=_write,
    ),
    Tool(
        name="file_scanner",
        category="file operations",
        description="List the files of a folder whose names end in a certain way.",
        parameters=takes(folder=text("the folder"), ending=text("such as .csv"), output=OUTPUT),
        codes=_CODES,
        run=_scan,
    ),
    Tool(
        name="file_converter",
        category="file operations",
        description="Write a csv or json file again in the other form.",
        parameters=takes(
            path=text("path of the file"),
            to=choice("the form to convert to", "json", "csv"),
            output_path=text("path of the new file"),
        ),
        codes=_CODES,
        run=_convert,
    ),
    Tool(
        name="file_compressor",
        category="file operations",
        description="Write a file again in packed form.",
        parameters=takes(path=text("path of the file"), output_path=text("path of the packed file")),
        codes=_CODES,
        run=_compress,
    ),
)
