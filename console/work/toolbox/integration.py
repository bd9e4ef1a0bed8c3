"""Integration: logins, connections, queues and times."""

from __future__ import annotations

import re
from typing import Any, Final

from console.work.toolbox.data_processing import made_dataset
from console.work.toolbox.lookup import column, dataset, need_session, service, value
from console.work.toolbox.parameters import OUTPUT, choice, takes, text
from console.work.world import Effect, ErrorCode, Tool, ToolError, World

_CODES: Final = (ErrorCode.INVALID_INPUT, ErrorCode.OPERATION_FAILED, ErrorCode.TIMEOUT)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _authenticate(world: World, given: dict[str, Any]) -> Effect:
    known = service(world, given["service"])
    if given["account"] not in known["accounts"]:
        raise ToolError(
            ErrorCode.INVALID_INPUT, f"{given['service']!r} knows no account {given['account']!r}"
        )
    return Effect(
        {"service": given["service"], "logged_in": True}, (("sessions", given["service"], given["account"]),)
    )


def _connect(world: World, given: dict[str, Any]) -> Effect:
    service(world, given["service"])
    need_session(world, given["service"])
    return Effect(dict(given), (("connections", given["service"], given["channel"]),))


def _map(world: World, given: dict[str, Any]) -> Effect:
    rows = dataset(world, given["dataset"])
    column(rows, given["from_field"])
    if given["to_field"] in rows[0]:
        raise ToolError(ErrorCode.INVALID_INPUT, f"there is a field {given['to_field']!r} already")
    names = {given["from_field"]: given["to_field"]}
    return made_dataset(
        given["output"], [{names.get(key, key): cell for key, cell in row.items()} for row in rows]
    )


def _queue(world: World, given: dict[str, Any]) -> Effect:
    waiting = [*world["queues"].get(given["queue"], []), value(world, given["source"])]
    return Effect({"queue": given["queue"], "messages": len(waiting)}, (("queues", given["queue"], waiting),))


def _schedule(world: World, given: dict[str, Any]) -> Effect:
    if not _TIME.fullmatch(given["time"]):
        raise ToolError(ErrorCode.INVALID_INPUT, f"{given['time']!r} is no time of day such as 07:30")
    planned = {"time": given["time"], "with": value(world, given["source"])}
    return Effect({"job": given["job"], "time": given["time"]}, (("jobs", given["job"], planned),))


INTEGRATION: Final = (
    Tool(
        name="integration_authenticator",
        category="integration",
        description="Log in at a service with an account.",
        parameters=takes(service=text("name of the service"), account=text("the account")),
        codes=_CODES,
        run=_authenticate,
    ),
    Tool(
        name="integration_connector",
        category="integration",
        description="Open a connection to a service. It asks for a login first.",
        parameters=takes(
            service=text("name of the service"),
            channel=choice("kind of connection", "api", "stream", "batch"),
        ),
        needs=("integration_authenticator",),
        codes=_CODES,
        run=_connect,
    ),
    Tool(
        name="integration_mapper",
        category="integration",
        description="Give a field of a dataset the name that another system expects.",
        parameters=takes(
            dataset=text("name of the dataset"),
            from_field=text("the field as it is called"),
            to_field=text("as it shall be called"),
            output=OUTPUT,
        ),
        needs=("data_parser",),
        codes=_CODES,
        run=_map,
    ),
    Tool(
        name="integration_queue",
        category="integration",
        description="Put a dataset, a result or a document at the end of a queue.",
        parameters=takes(queue=text("name of the queue"), source=text("name of what is put there")),
        codes=_CODES,
        run=_queue,
    ),
    Tool(
        name="integration_scheduler",
        category="integration",
        description="Plan a job for a time of day, with a dataset, a result or a document to work on.",
        parameters=takes(
            job=text("name of the job"),
            time=text("time of day, such as 07:30"),
            source=text("name of what it works on"),
        ),
        codes=_CODES,
        run=_schedule,
    ),
)
