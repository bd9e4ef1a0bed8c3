"""The place of capacity tests: how to measure what a model bears."""

from __future__ import annotations

from textual.app import ComposeResult

from console.screens.pane import Pane
from widgets.paragraphs import Paragraph, Paragraphs, paragraph


class Capacity(Pane):
    """Says what can be measured from the shell."""

    PLACE = "capacity"
    CSS_PATH = "capacity.tcss"

    def compose_body(self) -> ComposeResult:
        """Lay out the words."""
        yield Paragraphs(
            (
                paragraph("How many concurrent requests does a model bear?", "strong"),
                Paragraph(()),
                paragraph("One level of load is measured from the shell:"),
                paragraph(
                    "  ultra-console capacity run --profile P --model M --max-concurrency 10", "accent", 4
                ),
                paragraph("  ultra-console capacity run --help", "accent", 4),
                Paragraph(()),
                paragraph("A level that runs is watched here as any run: 3 shows it, 6 lists it.", "muted"),
            ),
            id="words",
        )
