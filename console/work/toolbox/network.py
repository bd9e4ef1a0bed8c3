"""Network: the services of a small address book, none of them real."""

from __future__ import annotations

from typing import Any, Final

from console.work.toolbox.data_processing import rows_of
from console.work.toolbox.lookup import document, need_session, service, value
from console.work.toolbox.parameters import OUTPUT, choice, takes, text
from console.work.world import Cause, Effect, ErrorCode, Tool, ToolError, World

_CODES: Final = (
    ErrorCode.INVALID_INPUT,
    ErrorCode.OPERATION_FAILED,
    ErrorCode.TIMEOUT,
    ErrorCode.NETWORK_ERROR,
    ErrorCode.INVALID_RESPONSE,
)


def _reach(world: World, name: str) -> dict[str, Any]:
    """Return a service that can be reached: it is up, and a route leads to it where it needs one."""
    known = service(world, name)
    if known["region"] and world["routes"].get(name) != known["region"]:
        raise ToolError(
            ErrorCode.NETWORK_ERROR,
            f"no route to {name!r}: network_router has to send it to region {known['region']!r} first",
            Cause.DEPENDENCY,
        )
    return known


def _fetch(world: World, given: dict[str, Any]) -> Effect:
    name, resource = given["service"], given["resource"]
    known = _reach(world, name)
    if known["login"]:
        need_session(world, name)
    if resource not in known["resources"]:
        has = ", ".join(known["resources"])
        raise ToolError(ErrorCode.INVALID_INPUT, f"{name!r} has no resource {resource!r} (it has {has})")
    content: str = known["resources"][resource]
    made = {"text": content, "origin": "network"}
    return Effect(
        {"document": given["output"], "status": 200, "text": content}, (("documents", given["output"], made),)
    )


def _post(world: World, given: dict[str, Any]) -> Effect:
    name = given["service"]
    _reach(world, name)
    need_session(world, name)
    sent = [*world["received"].get(name, []), value(world, given["source"])]
    return Effect({"service": name, "status": 201, "messages": len(sent)}, (("received", name, sent),))


def _monitor(world: World, given: dict[str, Any]) -> Effect:
    known = service(world, given["service"])
    found = {"service": given["service"], "up": True, "latency_ms": known["latency_ms"]}
    return Effect(found, (("health", given["service"], found),))


def _route(world: World, given: dict[str, Any]) -> Effect:
    known = service(world, given["service"])
    if given["region"] not in known["regions"]:
        has = ", ".join(known["regions"])
        raise ToolError(
            ErrorCode.INVALID_INPUT, f"{given['service']!r} is not in {given['region']!r} (it is in {has})"
        )
    return Effect(dict(given), (("routes", given["service"], given["region"]),))


def _validate(world: World, given: dict[str, Any]) -> Effect:
    name = given["document"]
    answer = document(world, name)
    if answer["origin"] != "network":
        raise ToolError(
            ErrorCode.OPERATION_FAILED,
            f"{name!r} is no answer of a service: network_fetcher gets those",
            Cause.DEPENDENCY,
        )
    try:
        rows = rows_of(answer["text"], given["format"])
    except ToolError as error:
        raise ToolError(ErrorCode.INVALID_RESPONSE, f"{name!r}: {error.text}") from None
    found = {"format": given["format"], "field": given["field"], "complete": given["field"] in rows[0]}
    return Effect(found, (("checks", name, {**found, "of": answer["text"]}),))


_SERVICE: Final = text("name of the service")

NETWORK: Final = (
    Tool(
        name="network_fetcher",
        category="network",
        description="Get a resource of a service as a document. Some services ask for a login or a route first.",
        parameters=takes(service=_SERVICE, resource=text("name of the resource"), output=OUTPUT),
        codes=_CODES,
        run=_fetch,
    ),
    Tool(
        name="network_poster",
        category="network",
        description="Send a dataset, a result or a document to a service. It asks for a login first.",
        parameters=takes(service=_SERVICE, source=text("name of what is sent")),
        needs=("integration_authenticator",),
        codes=_CODES,
        run=_post,
    ),
    Tool(
        name="network_monitor",
        category="network",
        description="Find out whether a service is up, and how fast. The finding goes by the service's name.",
        parameters=takes(service=_SERVICE),
        codes=_CODES,
        run=_monitor,
    ),
    Tool(
        name="network_router",
        category="network",
        description="Send all further traffic to a service through a region.",
        parameters=takes(service=_SERVICE, region=text("name of the region")),
        codes=_CODES,
        run=_route,
    ),
    Tool(
        name="network_validator",
        category="network",
        description="Check the form of what a service answered, and whether it has a field.",
        parameters=takes(
            document=text("name of the document"),
            format=choice("what it has to be", "csv", "json", "pairs"),
            field=text("field that has to be there"),
        ),
        needs=("network_fetcher",),
        codes=_CODES,
        run=_validate,
    ),
)
