"""The thirty tools by name, in registry order: six categories of five."""

from __future__ import annotations

from typing import Final

from console.work.toolbox.computation import COMPUTATION
from console.work.toolbox.data_processing import DATA_PROCESSING
from console.work.toolbox.file_operations import FILE_OPERATIONS
from console.work.toolbox.integration import INTEGRATION
from console.work.toolbox.network import NETWORK
from console.work.toolbox.utility import UTILITY
from console.work.world import Tool

TOOLS: Final[dict[str, Tool]] = {
    tool.name: tool
    for tool in (*DATA_PROCESSING, *FILE_OPERATIONS, *NETWORK, *COMPUTATION, *INTEGRATION, *UTILITY)
}
