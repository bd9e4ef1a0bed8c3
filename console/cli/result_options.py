"""The options that say what is told of a level, and into which file: those of `vllm bench serve`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.option_group import option_group
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.capacity.level_stats import Reported
    from console.engine.arrivals import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What is told, as it was asked for."""

    goodput: tuple[str, ...]
    slo: tuple[str, ...]
    percentile_metrics: str
    metric_percentiles: str
    metadata: tuple[str, ...]
    label: str | None
    save_result: bool
    save_detailed: bool
    append_result: bool
    result_dir: Path | None
    result_filename: Path | None

    def reported(self, tokenizer: Path | None) -> Reported:
        """Return which figures are told.

        Raises:
            ConsoleError: if an option names none that there is.
        """
        from console.capacity.level_result import result_names
        from console.capacity.level_stats import Reported
        from console.capacity.slo import parse_goodput, parse_slo

        reported = Reported(
            metrics=self._metrics(),
            percentiles=self._percentiles(),
            goodput=dict(parse_goodput(one) for text in self.goodput for one in text.split()),
            slos=tuple(parse_slo(text) for text in self.slo),
            metadata=self._metadata(),
            label=self.label,
            tokenizer=None if tokenizer is None else str(tokenizer),
            detailed=self.save_detailed,
        )
        if taken := sorted(reported.metadata.keys() & result_names(reported)):
            raise ConsoleError(f"{taken[0]} is a name of the result's own", where="--metadata")
        return reported

    def _metrics(self) -> tuple[str, ...]:
        from console.capacity.level_stats import METRICS

        names = [name.strip() for name in self.percentile_metrics.split(",")]
        for name in names:
            if name not in METRICS:
                raise ConsoleError(
                    f"no such metric: {name}",
                    where="--percentile-metrics",
                    hint=f"there are {', '.join(METRICS)}",
                )
        return tuple(dict.fromkeys(names))

    def _percentiles(self) -> tuple[float, ...]:
        found: list[float] = []
        for text in self.metric_percentiles.split(","):
            try:
                value = float(text)
            except ValueError:
                value = -1.0
            if not 0 <= value <= 100:
                raise ConsoleError(
                    f"{text.strip()!r} is not a percentage",
                    where="--metric-percentiles",
                    hint="such as 50,95,99.9",
                )
            found.append(value)
        return tuple(dict.fromkeys(found))

    def _metadata(self) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for text in self.metadata:
            name, equals, value = text.partition("=")
            if not equals or not name:
                raise ConsoleError("is not KEY=VALUE", where=f"--metadata {text}")
            pairs[name] = value
        return pairs

    def goes_to(self, api: str, model: str, level: Level) -> Path | None:
        """Return where the result goes, None for nowhere; found out before anything is sent.

        Raises:
            ConsoleError: if it cannot go there.
        """
        if not self.save_result and not self.append_result:
            return None
        name = self.result_filename or Path(default_name(self.label or f"{api}-chat", model, level))
        path = (self.result_dir or Path()) / name
        if not path.parent.is_dir():
            raise ConsoleError(f"there is no directory {path.parent}", where=str(path))
        if not os.access(path.parent, os.W_OK) or path.is_dir():
            raise ConsoleError("cannot be written", where=str(path))
        return path


def default_name(label: str, model: str, level: Level) -> str:
    """Return the name that `vllm bench serve` would give the file."""
    if level.ramp is not None:
        ramp = level.ramp
        rate = f"ramp-up-{ramp.strategy}-{ramp.start_rps:g}qps-{ramp.end_rps:g}qps"
    else:
        rate = "infqps" if level.request_rate is None else f"{level.request_rate:g}qps"
    bound = "" if level.max_concurrency is None else f"-concurrency{level.max_concurrency}"
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return f"{label}-{rate}{bound}-{model.rpartition('/')[2]}-{stamp}.json".replace("/", "-")


_OPTIONS = (
    click.option(
        "--goodput",
        multiple=True,
        metavar="NAME:MS",
        help="Count as good what is within: ttft, tpot, e2el in ms, such as ttft:500; repeatable.",
    ),
    click.option(
        "--slo",
        multiple=True,
        metavar="LIMIT",
        help="A limit to hold in the steady window, such as ttft_p95<800ms or success>=99%; repeatable.",
    ),
    click.option("--percentile-metrics", default="ttft,tpot,itl", show_default=True, help="And e2el, client_queue_time, e2el_including_client_queue."),
    click.option("--metric-percentiles", default="99", show_default=True, help="Such as 50,95,99.9."),
    click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Written into the result; repeatable."),
    click.option("--label", help="Written into the result and its file's name."),
    click.option("--save-result", is_flag=True, help="Write the result as `vllm bench serve` does."),
    click.option("--save-detailed", is_flag=True, help="With lists of an entry a request."),
    click.option("--append-result", is_flag=True, help="Add it to the file as one more JSON object."),
    click.option("--result-dir", type=click.Path(path_type=Path), help="Where, if not here."),
    click.option("--result-filename", type=click.Path(path_type=Path), help="Under which name."),
)  # fmt: skip

result_options = option_group(Results, "results", _OPTIONS)
"""Add the options, which the command gets as `results`."""
