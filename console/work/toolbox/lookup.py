"""Finding what a call speaks of, and saying what is missing where it is not there."""

from __future__ import annotations

from typing import Any, Final, cast

from console.work.world import Cause, ErrorCode, NotThere, ToolError, World

Row = dict[str, Any]
_DIGITS: Final = 4


def document(world: World, name: str) -> dict[str, str]:
    """Return a text in the world: {"text", "origin"}.

    Raises:
        NotThere: if there is none of this name.
    """
    if name in world["documents"]:
        return world["documents"][name]
    raise NotThere(name, f"there is no document {name!r}: file_reader or network_fetcher can get one")


def dataset(world: World, name: str) -> list[Row]:
    """Return the rows of a dataset.

    Raises:
        NotThere: if there is none of this name; a text of this name has to be parsed first.
    """
    if name in world["datasets"]:
        return world["datasets"][name]
    if name in world["documents"]:
        raise ToolError(
            ErrorCode.OPERATION_FAILED,
            f"{name!r} is raw text: data_parser has to make a dataset of it first",
            Cause.DEPENDENCY,
        )
    raise NotThere(name, f"there is no dataset {name!r}: data_parser makes one of a document")


def value(world: World, name: str) -> Any:
    """Return whatever goes by a name: a result, the rows of a dataset, the text of a document, the health of a service.

    Raises:
        NotThere: if nothing goes by it.
    """
    for section in ("results", "datasets", "health"):
        if name in world[section]:
            return world[section][name]
    if name in world["documents"]:
        return world["documents"][name]["text"]
    raise NotThere(name, f"nothing goes by the name {name!r} yet")


def file_text(world: World, path: str) -> str:
    """Return the content of a file.

    Raises:
        NotThere: FILE_NOT_FOUND.
    """
    if path not in world["files"]:
        raise NotThere(path, f"there is no file {path!r}", ErrorCode.FILE_NOT_FOUND)
    return world["files"][path]


def service(world: World, name: str) -> Row:
    """Return what is known of a service of the address book.

    Raises:
        ToolError: if there is none of this name.
    """
    if name not in world["services"]:
        known = ", ".join(sorted(world["services"])) or "none"
        raise ToolError(ErrorCode.INVALID_INPUT, f"there is no service {name!r} (known: {known})")
    return world["services"][name]


def need_session(world: World, name: str) -> None:
    """Refuse to go on without a login at a service.

    Raises:
        ToolError: if nobody has logged in there.
    """
    if name not in world["sessions"]:
        raise ToolError(
            ErrorCode.OPERATION_FAILED,
            f"{name!r} asks for a login: integration_authenticator has to be called first",
            Cause.DEPENDENCY,
        )


def column(rows: list[Row], field: str) -> list[Any]:
    """Return the values of a field.

    Raises:
        ToolError: if a row lacks it, or there is no row.
    """
    if not rows:
        raise ToolError(ErrorCode.OPERATION_FAILED, "the dataset is empty")
    if any(field not in row for row in rows):
        known = ", ".join(rows[0])
        raise ToolError(ErrorCode.INVALID_INPUT, f"there is no field {field!r} (fields: {known})")
    return [row[field] for row in rows]


def figures(rows: list[Row], field: str, code: ErrorCode = ErrorCode.CALCULATION_ERROR) -> list[float]:
    """Return the values of a field that holds numbers.

    Raises:
        ToolError: if it does not.
    """
    found = column(rows, field)
    if not all(is_number(one) for one in found):
        raise ToolError(code, f"field {field!r} holds text, not numbers")
    return cast("list[float]", found)


def is_number(one: Any) -> bool:
    """Say whether a JSON value is a number."""
    return isinstance(one, int | float) and not isinstance(one, bool)


def tidy(figure: float) -> float | int:
    """Return a figure rounded to four digits, whole ones as whole numbers.

    Raises:
        ToolError: OVERFLOW, where it is beyond what can be told.
    """
    if not abs(figure) < 1e15:
        raise ToolError(ErrorCode.OVERFLOW, "the figure is too large")
    rounded = round(figure, _DIGITS)
    return int(rounded) if float(rounded).is_integer() else rounded
