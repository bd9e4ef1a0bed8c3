"""From the tools of a template to calls with arguments: each step works on what those before it made."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from console.work.task import Step
from console.work.themes import Theme
from console.work.world import Sections

_ROWS: Final = (5, 8)
_REGIONS: Final = ("eu-north", "eu-south", "us-east", "us-west", "asia")


class Loom:
    """What a task has come to while its steps are chosen one by one."""

    def __init__(self, theme: Theme, tools: tuple[str, ...], rng: random.Random) -> None:
        """Make the world in which a task on `theme` begins."""
        self.theme = theme
        self.tools = tools
        self.rng = rng
        self.label = f"{theme.records}_{rng.randint(100, 999)}"
        """What these records are called, so that no two tasks speak of the same."""
        self.rows = self._records()
        self.amount = theme.amount
        self.document = f"{self.label}_raw"
        self.dataset = ""
        self.result = ""
        """What comes last of results, datasets, documents and monitored services: what sinks take."""
        self.figure = ""
        self.path = ""
        self.service = f"{theme.service}-{rng.randint(10, 99)}"
        self.account = f"{theme.team}-{rng.randint(10, 99)}"
        self.region = rng.choice(_REGIONS)
        self.format = rng.choice(("csv", "json", "pairs"))
        self.start: Sections = {name: {} for name in ("documents", "files", "services")}
        self._furnish()

    def _records(self) -> list[dict[str, Any]]:
        theme, rng = self.theme, self.rng
        names = rng.sample(theme.names, rng.randint(*_ROWS))
        groups = [*rng.sample(theme.groups, 2), *(rng.choice(theme.groups) for _ in names[2:])]
        amounts = rng.sample(range(20, 400), len(names))
        return [
            {theme.key: name, theme.group: group, theme.amount: amount, theme.cost: rng.randint(3, 60)}
            for name, group, amount in zip(names, groups, amounts, strict=True)
        ]

    def _furnish(self) -> None:
        """Put into the world what the steps will look for, and what lies about besides."""
        theme, rng, first = self.theme, self.rng, self.tools[0]
        converts = "file_converter" in self.tools
        form = rng.choice(("csv", "json")) if converts else self.format
        content = written(self.rows, form)
        files = self.start["files"]
        files[f"archive/{self.label}_old.txt"] = "superseded"
        for number in range(1, rng.randint(2, 4)):
            files[f"in/{self.label}_{number}.log"] = f"run {number} ended well"
        self.source_path = f"in/{self.label}.{'txt' if form == 'pairs' else form}"
        files[self.source_path] = content
        self.format = form
        if first == "data_parser":
            self.start["documents"][self.document] = {"text": content, "origin": "inbox"}
        self.start["services"] = {
            self.service: {
                "login": "integration_authenticator" in self.tools and "network_fetcher" in self.tools,
                "region": self.region if "network_router" in self.tools else "",
                "regions": sorted({self.region, *rng.sample(_REGIONS, 2)}),
                "accounts": [self.account],
                "resources": {self.label: content, "about": f"service of the {theme.team}"},
                "latency_ms": rng.randint(12, 480),
            },
            "weather": {
                "login": False,
                "region": "",
                "regions": ["eu-north"],
                "accounts": ["guest"],
                "resources": {"today": "place=harbour;wind=4"},
                "latency_ms": 35,
            },
        }

    def step(self, tool: str) -> Step:
        """Choose the next step."""
        return Step(tool, _CHOOSERS[tool](self))

    def made(self, kind: str) -> str:
        """Name what a step makes, and let what follows work on it."""
        name = self.result = f"{self.label}_{kind}"
        return name


def written(rows: list[dict[str, Any]], form: str) -> str:
    """Return records as the text of a file or an answer."""
    if form == "json":
        return msgspec.json.encode(rows).decode()
    if form == "pairs":
        return "\n".join(";".join(f"{key}={cell}" for key, cell in row.items()) for row in rows)
    lines = io.StringIO()
    table = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return lines.getvalue().strip()


Arguments = dict[str, Any]


def _parser(loom: Loom) -> Arguments:
    loom.dataset = loom.made("rows")
    return {"source": loom.document, "format": loom.format, "output": loom.dataset}


def _transformer(loom: Loom) -> Arguments:
    before, loom.dataset = loom.dataset, loom.made("adjusted")
    operation = loom.rng.choice(("scale", "add", "upper"))
    # Halls A and B in capitals would be what they are, and the call one that nobody needs.
    letters = "lower" if all(group.isupper() for group in loom.theme.groups) else "upper"
    change: Arguments = (
        {"field": loom.theme.group, "operation": letters}
        if operation == "upper"
        else {"field": loom.amount, "operation": operation, "factor": loom.rng.randint(2, 9)}
    )
    return {"dataset": before, **change, "output": loom.dataset}


def _filter(loom: Loom) -> Arguments:
    before, loom.dataset = loom.dataset, loom.made("kept")
    amounts = sorted(row[loom.theme.amount] for row in loom.rows)
    comparison = loom.rng.choice(("at_least", "at_most"))
    # At least three rows stay and one goes, so that what follows has something to work on and a wrong bound shows.
    bound = amounts[loom.rng.randint(1, len(amounts) - 3)]
    if comparison == "at_most":
        bound = amounts[loom.rng.randint(2, len(amounts) - 2)]
    return {
        "dataset": before,
        "field": loom.amount,
        "comparison": comparison,
        "value": bound,
        "output": loom.dataset,
    }


def _validator(loom: Loom) -> Arguments:
    field, rule = loom.rng.choice(
        ((loom.amount, "positive"), (loom.amount, "number"), (loom.theme.key, "not_empty"))
    )
    return {"dataset": loom.dataset, "field": field, "rule": rule}


def _aggregator(loom: Loom) -> Arguments:
    before, loom.dataset = loom.dataset, loom.made("by_" + loom.theme.group)
    function = loom.rng.choice(("sum", "mean", "max"))
    arguments = {
        "dataset": before,
        "by": loom.theme.group,
        "field": loom.amount,
        "function": function,
        "output": loom.dataset,
    }
    loom.amount = function
    return arguments


def _reader(loom: Loom) -> Arguments:
    loom.document = loom.made("raw")
    return {"path": loom.path or loom.source_path, "output": loom.document}


def _writer(loom: Loom) -> Arguments:
    source = loom.result
    form = "json"
    if source in (loom.dataset, loom.document):
        form = loom.rng.choice(("json", "csv")) if source == loom.dataset else "text"
    loom.path = f"out/{loom.label}_{loom.rng.randint(1, 99)}.{'txt' if form == 'text' else form}"
    return {"path": loom.path, "source": source, "format": form}


def _scanner(loom: Loom) -> Arguments:
    return {"folder": "in", "ending": ".log", "output": loom.made("files")}


def _converter(loom: Loom) -> Arguments:
    form = "csv" if loom.format == "json" else "json"
    loom.path, loom.format = f"work/{loom.label}.{form}", form
    return {"path": loom.source_path, "to": form, "output_path": loom.path}


def _compressor(loom: Loom) -> Arguments:
    return {"path": loom.path, "output_path": f"{loom.path}.packed"}


def _fetcher(loom: Loom) -> Arguments:
    loom.document = loom.made("answer")
    return {"service": loom.service, "resource": loom.label, "output": loom.document}


def _poster(loom: Loom) -> Arguments:
    return {"service": loom.service, "source": loom.result}


def _monitor(loom: Loom) -> Arguments:
    loom.result = loom.service
    return {"service": loom.service}


def _network_validator(loom: Loom) -> Arguments:
    field = loom.rng.choice((loom.theme.key, loom.theme.amount))
    return {"document": loom.document, "format": loom.format, "field": field}


def _calculator(loom: Loom) -> Arguments:
    loom.figure = loom.made("figure")
    operation = loom.rng.choice(("sum", "mean", "max", "min"))
    return {"dataset": loom.dataset, "field": loom.amount, "operation": operation, "output": loom.figure}


def _analyzer(loom: Loom) -> Arguments:
    return {"dataset": loom.dataset, "field": loom.amount, "output": loom.made("profile")}


def _predictor(loom: Loom) -> Arguments:
    steps = loom.rng.randint(2, 5)
    return {"dataset": loom.dataset, "field": loom.amount, "steps": steps, "output": loom.made("trend")}


def _simulator(loom: Loom) -> Arguments:
    growth, rounds = loom.rng.randint(2, 15), loom.rng.randint(2, 5)
    return {
        "start": loom.figure,
        "growth_percent": growth,
        "rounds": rounds,
        "output": loom.made("course"),
    }


def _optimizer(loom: Loom) -> Arguments:
    budget = sum(row[loom.theme.cost] for row in loom.rows) * loom.rng.randint(35, 60) // 100
    return {
        "dataset": loom.dataset,
        "value": loom.amount,
        "cost": loom.theme.cost,
        "budget": budget,
        "output": loom.made("choice"),
    }


def _mapper(loom: Loom) -> Arguments:
    before, loom.dataset = loom.dataset, loom.made("mapped")
    arguments = {
        "dataset": before,
        "from_field": loom.amount,
        "to_field": loom.theme.renamed,
        "output": loom.dataset,
    }
    loom.amount = loom.theme.renamed
    return arguments


_CHOOSERS: Final[dict[str, Callable[[Loom], Arguments]]] = {
    "data_parser": _parser,
    "data_transformer": _transformer,
    "data_filter": _filter,
    "data_validator": _validator,
    "data_aggregator": _aggregator,
    "file_reader": _reader,
    "file_writer": _writer,
    "file_scanner": _scanner,
    "file_converter": _converter,
    "file_compressor": _compressor,
    "network_fetcher": _fetcher,
    "network_poster": _poster,
    "network_monitor": _monitor,
    "network_router": lambda loom: {"service": loom.service, "region": loom.region},
    "network_validator": _network_validator,
    "computation_calculator": _calculator,
    "computation_analyzer": _analyzer,
    "computation_predictor": _predictor,
    "computation_simulator": _simulator,
    "computation_optimizer": _optimizer,
    "integration_authenticator": lambda loom: {"service": loom.service, "account": loom.account},
    "integration_connector": lambda loom: {
        "service": loom.service,
        "channel": loom.rng.choice(("api", "stream", "batch")),
    },
    "integration_mapper": _mapper,
    "integration_queue": lambda loom: {
        "queue": f"{loom.theme.team}-{loom.rng.randint(1, 9)}",
        "source": loom.result,
    },
    "integration_scheduler": lambda loom: {
        "job": f"{loom.label}-review",
        "time": f"{loom.rng.randint(6, 21):02d}:{loom.rng.choice((0, 15, 30, 45)):02d}",
        "source": loom.result,
    },
    "utility_cache": lambda loom: {
        "key": f"{loom.label}:{loom.rng.randint(100, 999)}",
        "source": loom.result,
    },
    "utility_logger": lambda loom: {"level": loom.rng.choice(("info", "warning")), "source": loom.result},
    "utility_tracker": lambda loom: {
        "subject": f"{loom.label}-{loom.rng.randint(1, 99)}",
        "status": loom.rng.choice(("open", "running", "done")),
        "source": loom.result,
    },
    "utility_notifier": lambda loom: {"recipient": loom.theme.team, "source": loom.result},
    "utility_helper": lambda loom: {
        "source": loom.result,
        "style": loom.rng.choice(("bullets", "numbered", "sentence")),
        "output": _shown(loom),
    },
}


def _shown(loom: Loom) -> str:
    loom.document = loom.made("overview")
    return loom.document
