"""Thirty tools: real functions that refuse what they cannot do, and never fall over."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.vocabulary.names import TASK_TYPES
from console.work.library import task_of
from console.work.registry import TOOLS
from console.work.session import Session
from console.work.task import Step, Task
from console.work.world import Cause, ErrorCode

ROWS = "item,group,amount,cost\na,x,10,4\nb,y,30,5\nc,x,20,9"
START = {
    "documents": {"raw": {"text": ROWS, "origin": "inbox"}},
    "files": {"in/a.csv": ROWS, "in/b.log": "fine"},
    "services": {
        "shop": {
            "login": True,
            "region": "eu",
            "regions": ["eu", "us"],
            "accounts": ["me"],
            "resources": {"orders": ROWS},
            "latency_ms": 7,
        }
    },
}


def session_of(*plan):
    task = Task(task_type="basic_task", instance=1, template="", plan=plan, start=START, story="", goal=())
    return Session(task, seed=0, success_rate=1.0)


def called(session, tool, **arguments):
    return session.call(1, tool, arguments)


def test_six_categories_of_five():
    categories = [tool.category for tool in TOOLS.values()]
    assert len(TOOLS) == 30
    assert [categories.count(category) for category in dict.fromkeys(categories)] == [5] * 6


def test_a_pipeline_from_text_to_a_packed_file():
    session = session_of()
    assert called(session, "data_parser", source="raw", format="csv", output="rows").ok
    called(
        session,
        "data_filter",
        dataset="rows",
        field="amount",
        comparison="at_least",
        value="20",
        output="big",
    )
    assert session.world["datasets"]["big"] == [
        {"item": "b", "group": "y", "amount": 30, "cost": 5},
        {"item": "c", "group": "x", "amount": 20, "cost": 9},
    ]
    called(
        session, "data_aggregator", dataset="rows", by="group", field="amount", function="sum", output="sums"
    )
    assert session.world["datasets"]["sums"] == [{"group": "x", "sum": 30}, {"group": "y", "sum": 30}]
    called(session, "file_writer", path="out/sums.csv", source="sums", format="csv")
    assert session.world["files"]["out/sums.csv"] == "group,sum\nx,30\ny,30"
    assert called(session, "file_compressor", path="out/sums.csv", output_path="out/sums.packed").ok
    assert all(call.ok for call in session.calls)


def test_computation_computes():
    session = session_of()
    called(session, "data_parser", source="raw", format="csv", output="rows")
    called(session, "computation_calculator", dataset="rows", field="amount", operation="mean", output="mean")
    called(session, "computation_simulator", start="mean", growth_percent=10, rounds=2, output="course")
    called(session, "computation_predictor", dataset="rows", field="amount", steps=1, output="trend")
    called(session, "computation_analyzer", dataset="rows", field="cost", output="profile")
    called(
        session, "computation_optimizer", dataset="rows", value="amount", cost="cost", budget=9, output="best"
    )
    assert session.world["results"] == {
        "mean": 20,
        "course": [22, 24.2],
        "trend": [30],
        "profile": {"field": "cost", "count": 3, "min": 4, "max": 9, "mean": 6, "median": 5},
        "best": ["a", "b"],
    }


def test_services_want_a_route_and_a_login_first():
    session = session_of()
    fetch = {"service": "shop", "resource": "orders", "output": "answer"}
    refused = session.call(1, "network_fetcher", fetch)
    assert (refused.code, refused.cause) == (ErrorCode.NETWORK_ERROR, Cause.DEPENDENCY)
    called(session, "network_router", service="shop", region="eu")
    refused = session.call(1, "network_fetcher", fetch)
    assert (refused.code, refused.cause) == (ErrorCode.OPERATION_FAILED, Cause.DEPENDENCY)
    called(session, "integration_authenticator", service="shop", account="me")
    assert session.call(1, "network_fetcher", fetch).ok
    assert called(session, "network_validator", document="answer", format="csv", field="item").result[
        "complete"
    ]
    assert called(session, "network_validator", document="answer", format="json", field="item").code == (
        ErrorCode.INVALID_RESPONSE
    )
    assert called(session, "integration_connector", service="shop", channel="api").ok


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("file_reader", {"path": "in/none.csv", "output": "x"}, ErrorCode.FILE_NOT_FOUND),
        ("file_writer", {"path": "locked/a", "source": "raw", "format": "text"}, ErrorCode.PERMISSION_DENIED),
        ("data_parser", {"source": "raw", "format": "json", "output": "x"}, ErrorCode.INVALID_INPUT),
        ("data_parser", {"source": "raw", "format": "xml", "output": "x"}, ErrorCode.INVALID_INPUT),
        ("data_filter", {"dataset": "raw"}, ErrorCode.INVALID_INPUT),
        ("integration_scheduler", {"job": "j", "time": "25:00", "source": "raw"}, ErrorCode.INVALID_INPUT),
        ("integration_authenticator", {"service": "shop", "account": "you"}, ErrorCode.INVALID_INPUT),
        ("network_monitor", {"service": "shop", "more": 1}, ErrorCode.INVALID_INPUT),
        ("no_such_tool", {}, ErrorCode.INVALID_INPUT),
    ],
)
def test_errors_are_typed(tool, arguments, code):
    session = session_of()
    before = msgspec.json.encode(session.world.sections)
    made = session.call(1, tool, arguments)
    assert (made.ok, made.code) == (False, code)
    assert made.error
    assert msgspec.json.encode(session.world.sections) == before


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.needs])
def test_declared_dependencies_are_enforced(name):
    """In every task that uses a tool with dependencies, it fails for that reason when it is called first."""
    seen = 0
    for task_type in TASK_TYPES:
        for instance in range(1, 21):
            task = task_of(0, task_type, instance)
            for place, step in enumerate(task.plan):
                if step.tool == name and place and not session_has_what_it_needs(task, step):
                    made = Session(task, seed=0, success_rate=1.0).call(1, step.tool, step.arguments)
                    assert (made.ok, made.cause) == (False, Cause.DEPENDENCY)
                    seen += 1
    assert seen


def session_has_what_it_needs(task, step):
    return not any(earlier.tool in TOOLS[step.tool].needs for earlier in task.plan)


def test_a_misspelt_name_is_an_error_of_input_and_one_not_made_yet_of_order():
    plan = (Step("data_parser", {"source": "raw", "format": "csv", "output": "rows"}),)
    session = session_of(*plan)
    asked = {"field": "amount", "operation": "sum", "output": "x"}
    assert called(session, "computation_calculator", dataset="rows", **asked).cause is Cause.DEPENDENCY
    assert called(session, "computation_calculator", dataset="rwos", **asked).cause is Cause.INPUT


def test_a_whole_number_may_be_written_as_a_float():
    session = session_of()
    called(session, "data_parser", source="raw", format="csv", output="rows")
    asked = {"dataset": "rows", "field": "amount", "output": "trend"}
    assert called(session, "computation_predictor", steps=1.0, **asked).ok
    assert session.world["results"]["trend"] == [30]
    assert called(session, "computation_predictor", steps=1.5, **asked).code is ErrorCode.INVALID_INPUT


@pytest.mark.parametrize("renamed", ["a\rb", "a\nb", '"a', "a,b"])
def test_a_csv_file_that_a_field_name_spoilt_is_none(renamed):
    session = session_of()
    called(session, "data_parser", source="raw", format="csv", output="rows")
    called(session, "integration_mapper", dataset="rows", from_field="item", to_field=renamed, output="odd")
    assert called(session, "file_writer", path="odd.csv", source="odd", format="csv").ok
    assert called(session, "file_reader", path="odd.csv", output="text").ok
    read = called(session, "data_parser", source="text", format="csv", output="again")
    assert read.ok or read.code is ErrorCode.INVALID_INPUT


def test_files_do_not_grow_without_end():
    """Each time a text is written as json, its backslashes double."""
    session = session_of()
    called(session, "file_reader", path="in/a.csv", output="text")
    for _ in range(40):
        called(session, "file_writer", path="b", source="text", format="json")
        called(session, "file_reader", path="b", output="text")
    assert max(map(len, session.world["files"].values())) <= 50_000
    assert session.calls[-2].code is ErrorCode.OPERATION_FAILED


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["raw", "rows", "sums", "figure", "in/a.csv", "shop", "amount", "item", "group", ""])


@given(st.data())
def test_no_arguments_make_a_tool_fall_over(data):
    """Whatever a model sends is answered with a result or a typed error."""
    session = session_of()
    called(session, "data_parser", source="raw", format="csv", output="rows")
    called(
        session, "computation_calculator", dataset="rows", field="amount", operation="sum", output="figure"
    )
    for _ in range(6):
        tool = data.draw(st.sampled_from(list(TOOLS.values())))
        arguments = {}
        for name, form in tool.parameters["properties"].items():
            likely = st.sampled_from(form["enum"]) if "enum" in form else names | st.integers(-5, 5)
            arguments[name] = data.draw(likely | anything)
        made = session.call(1, tool.name, arguments)
        assert made.ok is (made.code is None)
        if not made.ok:
            assert made.code in tool.codes
            assert made.cause in (Cause.INPUT, Cause.DEPENDENCY)
        msgspec.json.encode(session.world.sections)
