"""Computation: figures from datasets, and figures from figures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from statistics import median
from typing import Any, Final

from console.work.toolbox.lookup import column, dataset, figures, is_number, tidy, value
from console.work.toolbox.parameters import OUTPUT, choice, number, takes, text, whole
from console.work.world import Effect, ErrorCode, Tool, ToolError, World

_CODES: Final = (
    ErrorCode.INVALID_INPUT,
    ErrorCode.OPERATION_FAILED,
    ErrorCode.TIMEOUT,
    ErrorCode.CALCULATION_ERROR,
    ErrorCode.OVERFLOW,
)
_MOST_CHOICES: Final = 12


def _made(name: str, found: Any) -> Effect:
    return Effect({"result": name, "value": found}, (("results", name, found),))


_OPERATIONS: Final[dict[str, Callable[[list[float]], float]]] = {
    "sum": sum,
    "mean": lambda cells: sum(cells) / len(cells),
    "min": min,
    "max": max,
    "count": len,
}


def _calculate(world: World, given: dict[str, Any]) -> Effect:
    cells = figures(dataset(world, given["dataset"]), given["field"])
    return _made(given["output"], tidy(_OPERATIONS[given["operation"]](cells)))


def _analyze(world: World, given: dict[str, Any]) -> Effect:
    cells = figures(dataset(world, given["dataset"]), given["field"])
    found = {
        "field": given["field"],
        "count": len(cells),
        "min": min(cells),
        "max": max(cells),
        "mean": tidy(sum(cells) / len(cells)),
        "median": tidy(median(cells)),
    }
    return _made(given["output"], found)


def _predict(world: World, given: dict[str, Any]) -> Effect:
    """Go on along the straight line of least squares."""
    cells = figures(dataset(world, given["dataset"]), given["field"])
    if len(cells) < 2:
        raise ToolError(ErrorCode.CALCULATION_ERROR, "a trend needs two rows at least")
    count = len(cells)
    middle_x, middle_y = (count - 1) / 2, sum(cells) / count
    spread = sum((place - middle_x) ** 2 for place in range(count))
    slope = sum((place - middle_x) * (cell - middle_y) for place, cell in enumerate(cells)) / spread
    ahead = [tidy(middle_y + slope * (count + step - middle_x)) for step in range(given["steps"])]
    return _made(given["output"], ahead)


def _simulate(world: World, given: dict[str, Any]) -> Effect:
    start = value(world, given["start"])
    if not is_number(start):
        raise ToolError(ErrorCode.INVALID_INPUT, f"{given['start']!r} is no single figure")
    course: list[float] = []
    figure: float = start
    for _ in range(given["rounds"]):
        figure *= 1 + given["growth_percent"] / 100
        course.append(tidy(figure))
    return _made(given["output"], course)


def _optimize(world: World, given: dict[str, Any]) -> Effect:
    """Choose the rows of most value that the budget allows; of equal ones the first in their order."""
    rows = dataset(world, given["dataset"])
    worth, costs = figures(rows, given["value"]), figures(rows, given["cost"])
    names = [str(name) for name in column(rows, next(iter(rows[0])))]
    if len(rows) > _MOST_CHOICES:
        raise ToolError(ErrorCode.CALCULATION_ERROR, f"more than {_MOST_CHOICES} rows to choose from")
    best: tuple[float, tuple[int, ...]] = (0.0, ())
    for size in range(1, len(rows) + 1):
        for chosen in combinations(range(len(rows)), size):
            total = sum(worth[place] for place in chosen)
            if sum(costs[place] for place in chosen) <= given["budget"] and total > best[0]:
                best = (total, chosen)
    return _made(given["output"], [names[place] for place in best[1]])


_DATASET: Final = text("name of the dataset")

COMPUTATION: Final = (
    Tool(
        name="computation_calculator",
        category="computation",
        description="Work out one figure from a field of a dataset.",
        parameters=takes(
            dataset=_DATASET,
            field=text("field with numbers"),
            operation=choice("which figure", *_OPERATIONS),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_calculate,
    ),
    Tool(
        name="computation_analyzer",
        category="computation",
        description="Describe a field of a dataset: count, minimum, maximum, mean and median.",
        parameters=takes(dataset=_DATASET, field=text("field with numbers"), output=OUTPUT),
        needs=("data_parser", "data_aggregator"),
        codes=_CODES,
        run=_analyze,
    ),
    Tool(
        name="computation_predictor",
        category="computation",
        description="Continue the trend of a field over the rows of a dataset.",
        parameters=takes(
            dataset=_DATASET,
            field=text("field with numbers"),
            steps=whole("how many values ahead", 1, 12),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_predict,
    ),
    Tool(
        name="computation_simulator",
        category="computation",
        description="Let a single figure grow round by round.",
        parameters=takes(
            start=text("name of the result to begin with"),
            growth_percent=number("growth a round, in percent"),
            rounds=whole("how many rounds", 1, 12),
            output=OUTPUT,
        ),
        needs=("computation_calculator",),
        codes=_CODES,
        run=_simulate,
    ),
    Tool(
        name="computation_optimizer",
        category="computation",
        description="Choose the rows of a dataset that are worth most together within a budget.",
        parameters=takes(
            dataset=_DATASET,
            value=text("field with what a row is worth"),
            cost=text("field with what it costs"),
            budget=number("what all of them may cost"),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_optimize,
    ),
)
