"""Data processing: from raw text to rows, and from rows to rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from console.work.toolbox.lookup import Row, column, dataset, document, figures, is_number, tidy
from console.work.toolbox.parameters import OUTPUT, choice, number, scalar, takes, text
from console.work.world import Effect, ErrorCode, Tool, ToolError, World

_CODES: Final = (ErrorCode.INVALID_INPUT, ErrorCode.OPERATION_FAILED, ErrorCode.TIMEOUT)


def made_dataset(name: str, rows: list[Row]) -> Effect:
    """Return the effect of a tool that makes a dataset: its size and first rows are told."""
    told = {"dataset": name, "rows": len(rows), "first": rows[:3]}
    return Effect(told, (("datasets", name, rows),))


def read_scalar(word: str) -> Any:
    """Return the number that a word of a file is, or the word."""
    try:
        figure = float(word)
    except ValueError:
        return word.strip()
    return tidy(figure) if abs(figure) < 1e15 else word.strip()


def rows_of(raw: str, form: str) -> list[Row]:
    """Read rows from text.

    Raises:
        ToolError: if the text is not in this form.
    """
    rows: list[Row] = []
    if form == "json":
        try:
            found: Any = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        if isinstance(found, list) and all(isinstance(row, dict) for row in cast("list[Any]", found)):
            rows = cast("list[Row]", found)
    elif form == "csv" and "," in raw.partition("\n")[0] and raw[:1] not in ("[", "{"):
        rows = _csv_rows(raw)
    elif form == "pairs" and "=" in raw.partition("\n")[0]:
        lines = [line for line in raw.splitlines() if line.strip()]
        split = [[pair.partition("=") for pair in line.split(";")] for line in lines]
        rows = [{key.strip(): read_scalar(cell) for key, _, cell in pairs} for pairs in split]
    if not rows:
        raise ToolError(ErrorCode.INVALID_INPUT, f"the text is not {form}")
    return rows


def _csv_rows(raw: str) -> list[Row]:
    """Read rows from csv; none where it is none: stray line ends, or more cells than fields."""
    try:
        read = list(csv.DictReader(io.StringIO(raw)))
    except csv.Error:
        return []
    if any(None in row for row in read):
        return []
    return [{str(key): read_scalar(cell or "") for key, cell in row.items()} for row in read]


def _parse(world: World, given: dict[str, Any]) -> Effect:
    return made_dataset(given["output"], rows_of(document(world, given["source"])["text"], given["format"]))


_OPERATIONS: Final[dict[str, Callable[[Any, float], Any]]] = {
    "upper": lambda cell, _: cell.upper(),
    "lower": lambda cell, _: cell.lower(),
    "scale": lambda cell, factor: tidy(cell * factor),
    "add": lambda cell, factor: tidy(cell + factor),
}


def _transform(world: World, given: dict[str, Any]) -> Effect:
    rows, field, operation = dataset(world, given["dataset"]), given["field"], given["operation"]
    cells = column(rows, field)
    on_text = operation in ("upper", "lower")
    if any(is_number(cell) is on_text for cell in cells):
        kind = "text" if on_text else "numbers"
        raise ToolError(
            ErrorCode.INVALID_INPUT, f"{operation!r} works on {kind}, which {field!r} does not hold"
        )
    if not on_text and "factor" not in given:
        raise ToolError(ErrorCode.INVALID_INPUT, f"{operation!r} needs 'factor'")
    change = _OPERATIONS[operation]
    changed = [{**row, field: change(row[field], given.get("factor", 0))} for row in rows]
    return made_dataset(given["output"], changed)


_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "at_least": lambda cell, bound: cell >= bound,
    "at_most": lambda cell, bound: cell <= bound,
    "equals": lambda cell, bound: cell == bound,
    "differs": lambda cell, bound: cell != bound,
}


def _filter(world: World, given: dict[str, Any]) -> Effect:
    rows, field = dataset(world, given["dataset"]), given["field"]
    bound = given["value"] if is_number(given["value"]) else read_scalar(given["value"])
    if given["comparison"] in ("at_least", "at_most"):
        figures(rows, field, ErrorCode.INVALID_INPUT)
        if not is_number(bound):
            raise ToolError(ErrorCode.INVALID_INPUT, f"'value' has to be a number, not {bound!r}")
    column(rows, field)
    keeps = _COMPARISONS[given["comparison"]]
    return made_dataset(given["output"], [row for row in rows if keeps(row[field], bound)])


_RULES: Final[dict[str, Callable[[Any], bool]]] = {
    "number": is_number,
    "text": lambda cell: isinstance(cell, str),
    "not_empty": lambda cell: cell != "",
    "positive": lambda cell: is_number(cell) and cell > 0,
}


def _validate(world: World, given: dict[str, Any]) -> Effect:
    rows = dataset(world, given["dataset"])
    cells = column(rows, given["field"])
    valid = sum(_RULES[given["rule"]](cell) for cell in cells)
    found = {"field": given["field"], "rule": given["rule"], "valid": valid, "invalid": len(cells) - valid}
    return Effect(found, (("checks", given["dataset"], {**found, "of": rows}),))


_FUNCTIONS: Final[dict[str, Callable[[list[float]], float]]] = {
    "sum": sum,
    "mean": lambda cells: sum(cells) / len(cells),
    "max": max,
    "count": len,
}


def _aggregate(world: World, given: dict[str, Any]) -> Effect:
    rows, by, function = dataset(world, given["dataset"]), given["by"], given["function"]
    column(rows, by)
    figures(rows, given["field"], ErrorCode.INVALID_INPUT)
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(str(row[by]), []).append(row[given["field"]])
    totals = [{by: name, function: tidy(_FUNCTIONS[function](groups[name]))} for name in sorted(groups)]
    return made_dataset(given["output"], totals)


DATA_PROCESSING: Final = (
    Tool(
        name="data_parser",
        category="data processing",
        description="Turn the raw text of a document into a dataset of rows.",
        parameters=takes(
            source=text("name of the document"),
            format=choice(
                "how it is written: pairs is key=value;key=value, a row a line", "csv", "json", "pairs"
            ),
            output=OUTPUT,
        ),
        codes=_CODES,
        run=_parse,
    ),
    Tool(
        name="data_transformer",
        category="data processing",
        description="Change one field in every row of a dataset.",
        parameters=takes(
            "factor",
            dataset=text("name of the dataset"),
            field=text("field to change"),
            operation=choice("upper and lower for text, scale and add for numbers", *_OPERATIONS),
            factor=number("what numbers are multiplied by, or what is added to them"),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_transform,
    ),
    Tool(
        name="data_filter",
        category="data processing",
        description="Keep only the rows of a dataset whose field compares as asked.",
        parameters=takes(
            dataset=text("name of the dataset"),
            field=text("field to look at"),
            comparison=choice("how it has to compare", *_COMPARISONS),
            value=scalar("what it is compared with"),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_filter,
    ),
    Tool(
        name="data_validator",
        category="data processing",
        description="Check one field of a dataset against a rule and keep the finding.",
        parameters=takes(
            dataset=text("name of the dataset"),
            field=text("field to check"),
            rule=choice("what every value has to be", *_RULES),
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_validate,
    ),
    Tool(
        name="data_aggregator",
        category="data processing",
        description="Group the rows of a dataset and condense one field of each group to a figure.",
        parameters=takes(
            dataset=text("name of the dataset"),
            by=text("field whose values make the groups"),
            field=text("field to condense"),
            function=choice("how", *_FUNCTIONS),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_aggregate,
    ),
)
