"""Templates of tasks: which tools, in which order. Names, figures and words are drawn for each instance.

Every template holds two calls at least of which one works on what the other made, so that every flaw of a plan is
one. Growing a list renumbers the instances of its type: see `library.LIBRARY`.
"""

from __future__ import annotations

from typing import Final

_READ: Final = ("file_reader", "data_parser")
_LOGIN: Final = "integration_authenticator"

TEMPLATES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "simple_task": (
        ("data_parser", "data_filter"),
        ("data_parser", "computation_calculator", "utility_logger"),
        _READ,
        ("network_monitor", "utility_notifier"),
        ("file_scanner", "utility_cache"),
        (_LOGIN, "integration_connector"),
        ("data_parser", "data_transformer", "integration_queue"),
        ("file_converter", "file_compressor"),
        ("network_fetcher", "network_validator"),
        ("data_parser", "data_validator"),
    ),
    "basic_task": (
        (*_READ, "data_filter"),
        ("data_parser", "data_filter", "computation_calculator", "utility_cache"),
        (*_READ, "data_aggregator", "file_writer"),
        ("data_parser", "integration_mapper", "integration_queue"),
        ("network_fetcher", "data_parser", "computation_analyzer"),
        ("network_monitor", "utility_tracker", "utility_notifier"),
        ("data_parser", "computation_predictor", "integration_scheduler"),
        ("data_parser", "computation_optimizer", "utility_notifier"),
        ("network_router", "network_fetcher", "data_parser", "utility_helper"),
        ("file_scanner", "utility_logger"),
    ),
    "data_pipeline": (
        (*_READ, "data_filter", "data_aggregator", "file_writer"),
        (*_READ, "data_validator", "data_transformer", "file_writer"),
        ("data_parser", "data_transformer", "data_aggregator", "utility_cache"),
        ("network_fetcher", "data_parser", "data_filter", "computation_analyzer", "utility_notifier"),
        (*_READ, "integration_mapper", "file_writer", "file_compressor"),
        ("data_parser", "computation_calculator", "computation_simulator", "utility_logger"),
        ("data_parser", "data_filter", "computation_optimizer", "utility_helper"),
        (*_READ, "computation_predictor"),
    ),
    "api_integration": (
        (_LOGIN, "integration_connector", "network_fetcher", "data_parser", "integration_queue"),
        ("network_fetcher", "network_validator", "data_parser", "integration_mapper", "utility_cache"),
        (_LOGIN, "network_fetcher", "data_parser", "data_filter"),
        ("network_router", "network_fetcher", "network_validator", "data_parser"),
        (*_READ, _LOGIN, "network_poster"),
        ("network_monitor", _LOGIN, "integration_connector", "utility_tracker"),
        ("network_fetcher", "data_parser", "integration_scheduler"),
        ("data_parser", "computation_calculator", _LOGIN, "network_poster"),
    ),
    "multi_stage_pipeline": (
        (*_READ, "data_validator", "data_filter", "data_aggregator", "file_writer", "utility_notifier"),
        (
            _LOGIN,
            "network_fetcher",
            "network_validator",
            "data_parser",
            "data_transformer",
            "computation_analyzer",
            "network_poster",
        ),
        (
            "network_fetcher",
            "data_parser",
            "data_filter",
            "computation_calculator",
            "computation_simulator",
            "utility_cache",
        ),
        (*_READ, "integration_mapper", "computation_predictor", "integration_scheduler"),
        (
            "network_router",
            "network_fetcher",
            "data_parser",
            "data_aggregator",
            "file_writer",
            "file_compressor",
        ),
        ("data_parser", "computation_optimizer", _LOGIN, "network_poster"),
        ("file_converter", *_READ, "computation_analyzer", "utility_helper", "file_writer"),
        (
            "network_monitor",
            "network_router",
            "network_fetcher",
            "data_parser",
            "data_aggregator",
            "integration_queue",
            "utility_tracker",
        ),
    ),
}
