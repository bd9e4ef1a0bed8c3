"""The files of a search that people look at: `report.html`, `curve.svg`, `curve.png`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from console.cli.level_files import safe_name
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.capacity.report_asked import ReportAsked
    from console.capacity.search_result import SearchResult

Format = Literal["html", "svg", "png"]
FORMATS: Final[tuple[Format, ...]] = ("svg", "html", "png")
USUAL: Final[tuple[Format, ...]] = ("svg", "html")


def write_report_files(
    run_dir: Path, result: SearchResult, out: Path, formats: Sequence[Format]
) -> list[Path]:
    """Write the files and return their paths.

    Raises:
        ConsoleError: if one cannot be written, or there is nothing to draw PNG with.
    """
    from console.capacity.report_asked import report_asked

    asked = report_asked(run_dir)
    paths: list[Path] = []
    if "svg" in formats:
        paths += _pictures(result, asked, out, "svg")
    if "html" in formats:
        from console.capacity.report_page import report_html
        from console.cli.search_text import joint_lines

        paths.append(out / "report.html")
        _write(paths[-1], report_html(result, asked, joint_lines(result.answers)).encode())
    if "png" in formats:
        paths += _pictures(result, asked, out, "png")
    return paths


def tell_report(run_dir: Path, result: SearchResult) -> None:
    """Write what every search leaves behind and say where; a search that has its answer does not fail by it."""
    try:
        paths = write_report_files(run_dir, result, run_dir, USUAL)
    except ConsoleError as error:
        say(f"warning: no report: {error}", err=True)
        return
    for path in paths:
        if path.name in ("curve.svg", "report.html"):
            say(f"{path.stem} in {path}", err=True)


def _pictures(result: SearchResult, asked: ReportAsked, out: Path, kind: Literal["svg", "png"]) -> list[Path]:
    """Write a picture a subject; that of all lanes together has the plain name."""
    from console.capacity.report_curve import CurveAsked, curve_svg
    from console.charts.png import png_of

    curve = CurveAsked(
        model=result.model, run_id=result.run_id, simulated=result.simulated, elasticity=asked.elasticity
    )
    paths: list[Path] = []
    for answer in result.answers:
        svg = curve_svg(answer, result.levels, curve, literal=kind == "png")
        path = out / f"curve{safe_name(answer.subject)}.{kind}"
        _write(path, png_of(svg) if kind == "png" else svg.encode())
        paths.append(path)
    return paths


def _write(path: Path, data: bytes) -> None:
    from console.durable import write_atomic

    try:
        write_atomic(path, data)
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
