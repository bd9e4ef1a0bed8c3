"""The thirty tools that tasks speak of: six categories of five, each with two ways to hint at it."""

from __future__ import annotations

from typing import Final

import msgspec


class Tool(msgspec.Struct, frozen=True):
    """One tool as a prompt may show or hint at it."""

    name: str
    keyword: str
    """A step in plain words: enough to find the tool."""
    abstract: str
    """The same step in business language."""


TOOLS: Final = tuple(
    Tool(*row)
    for row in (
        ("data_parser", "parse the raw data", "make sense of what came in"),
        ("data_transformer", "transform the data", "bring it into the shape others expect"),
        ("data_filter", "filter the data", "keep only what matters"),
        ("data_validator", "validate the data", "make sure the content can be relied on"),
        ("data_aggregator", "aggregate the data", "condense it into totals"),
        ("file_reader", "read the file", "get hold of what was stored"),
        ("file_writer", "write the file", "put the outcome where it is kept"),
        ("file_scanner", "scan the file", "look through the stored material"),
        ("file_converter", "convert the file", "change the storage format"),
        ("file_compressor", "compress the file", "make it take less room"),
        ("network_fetcher", "fetch from the network", "obtain it from the other side"),
        ("network_poster", "post to the network", "hand it over to the other side"),
        ("network_monitor", "monitor the network", "watch whether the other side is well"),
        ("network_router", "route the network traffic", "send it down the right path"),
        ("network_validator", "validate the network response", "check what the other side answered"),
        ("computation_calculator", "calculate the figures", "work out the numbers"),
        ("computation_analyzer", "analyze the figures", "find out what the numbers say"),
        ("computation_predictor", "predict the figures", "look ahead to what comes next"),
        ("computation_simulator", "simulate the process", "play it through before it happens"),
        ("computation_optimizer", "optimize the process", "find the best arrangement"),
        ("integration_authenticator", "authenticate with the service", "prove who is asking"),
        ("integration_connector", "connect to the service", "open the way to the partner"),
        ("integration_mapper", "map the fields", "match their terms with ours"),
        ("integration_queue", "queue the message", "line it up for later handling"),
        ("integration_scheduler", "schedule the job", "set a time for it"),
        ("utility_cache", "cache the result", "keep it at hand"),
        ("utility_logger", "log the result", "leave a trace of it"),
        ("utility_tracker", "track the result", "follow how it develops"),
        ("utility_notifier", "notify the users", "let the people concerned know"),
        ("utility_helper", "format the result", "make it presentable"),
    )
)
"""In registry order: data processing, file operations, network, computation, integration, utility."""
