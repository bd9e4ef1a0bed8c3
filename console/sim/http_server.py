"""The simulated provider over HTTP/1.1, on asyncio protocols: made to serve tens of thousands of chunks a second."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import msgspec

from console.sim import rejection as reject
from console.sim import wire
from console.sim.answers import Player
from console.sim.config import SimConfig, check_config
from console.sim.connection import Connection, Incoming
from console.sim.ledger import Arrival, Delivery, Log, ServerStats, provider_stats
from console.sim.live_answer import LiveAnswer, StreamedAnswer, WholeAnswer
from console.sim.metrics import CONTENT_TYPE, metrics_text
from console.sim.provider import SimulatedProvider, key_label
from console.sim.rejection import Rejection
from console.sim.routes import ChatBody, Route, ask_of, find_route, read_body
from console.vocabulary.errors import ConsoleError

BACKLOG = 4096


class SimulatorServer:
    """A listening simulator: where it is, and its own truth about what it served."""

    def __init__(self, config: SimConfig, player: Player | None) -> None:
        """Make the providers of `config`; `player` answers the conversations it understands."""
        self.config = config
        self.host = ""
        self.port = 0
        self.providers = {
            name: SimulatedProvider(behaviour, seed=config.seed, player=player, model_of=config.model_of)
            for name, behaviour in config.providers.items()
        }
        self.log = Log()
        self._connections: set[Connection] = set()
        self._connections_made = 0
        self._refused = 0
        self._requests = 0
        self._created = int(time.time())
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    def url(self, provider: str) -> str:
        """Return the base URL of `provider` as its dialect writes it in a profile."""
        return base_url(self.config, provider, self.port, self.host)

    def stats(self) -> ServerStats:
        """Return all counts now."""
        return ServerStats(
            providers={name: provider_stats(provider) for name, provider in self.providers.items()},
            connections=len(self._connections),
            connections_made=self._connections_made,
            refused=self._refused,
        )

    def connection(self) -> Connection:
        """Make the protocol of one connection."""
        return Connection(self._answer, self._made, self._lost)

    async def close_connections(self) -> None:
        """Drop every client at once and wait until all are gone."""
        for connection in tuple(self._connections):
            connection.abort()
        await self._all_gone.wait()

    def _made(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._connections_made += 1
        self._all_gone.clear()

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()

    def _answer(self, connection: Connection, incoming: Incoming) -> LiveAnswer | None:
        """Answer at once, or return the answer that will come."""
        if incoming.refused is not None:
            return self._refuse(connection, incoming, incoming.refused)
        route = find_route(incoming.method, incoming.target, self.providers)
        if isinstance(route, Rejection):
            return self._refuse(connection, incoming, route)
        if route.what == "chat":
            return self._chat(connection, incoming, route)
        if route.what == "models":
            provider = self.providers[route.provider]
            refused = provider.authenticate(key_label(incoming.credential))
            if refused is not None:
                return self._refuse(connection, incoming, refused)
            body = wire.model_list(provider.served_models(), self._created)
        elif route.what == "metrics":
            body = metrics_text(self.providers)
        else:
            body = msgspec.json.encode(self.stats()) if route.what == "stats" else self.log.to_json()
        head_only = incoming.method == "HEAD"
        connection.write(
            wire.json_response(
                200,
                (),
                body,
                keep_alive=incoming.keep_alive,
                with_body=not head_only,
                content_type=CONTENT_TYPE if route.what == "metrics" else "application/json",
            )
        )
        return None

    def _refuse(self, connection: Connection, incoming: Incoming, refused: Rejection) -> None:
        self._refused += 1
        self._write_rejection(connection, incoming, refused, ())

    def _write_rejection(
        self, connection: Connection, incoming: Incoming, refused: Rejection, headers: reject.Headers
    ) -> None:
        connection.write(
            wire.json_response(
                refused.status,
                headers + refused.headers,
                refused.body(),
                keep_alive=incoming.keep_alive,
                with_body=incoming.method != "HEAD",
            )
        )

    def _chat(self, connection: Connection, incoming: Incoming, route: Route) -> LiveAnswer | None:
        now_ns = time.monotonic_ns()
        body = read_body(incoming.body)
        if isinstance(body, Rejection):
            return self._refuse(connection, incoming, body)
        if body.stream and incoming.version == "1.0":
            return self._refuse(connection, incoming, reject.bad_request("A stream needs HTTP/1.1."))
        ask = ask_of(route, body, key_label(incoming.credential))
        if isinstance(ask, Rejection):
            return self._refuse(connection, incoming, ask)
        provider = self.providers[route.provider]
        self._requests += 1
        request_id = f"sim-{self._requests:08d}"
        headers = wire.request_id_headers(provider.behaviour, request_id)
        begun = provider.begin(now_ns, ask)
        status = begun.status if isinstance(begun, Rejection) else 200
        if self.config.log:
            arrival = Arrival(now_ns, route.provider, ask.deployment, ask.key, status, request_id)
            self.log.arrivals.append(arrival)
        if isinstance(begun, Rejection):
            self._write_rejection(connection, incoming, begun, headers)
            return None
        admission, plan = begun
        kind = StreamedAnswer if body.stream else WholeAnswer
        answer = kind(
            connection,
            provider,
            admission,
            plan,
            headers=headers + admission.headers,
            keep_alive=incoming.keep_alive,
            on_ended=self._delivery_logger(request_id) if self.config.log else None,
        )
        self._shape(answer, body, azure=provider.behaviour.dialect == "azure", request_id=request_id)
        return answer

    def _shape(self, answer: LiveAnswer, body: ChatBody, *, azure: bool, request_id: str) -> None:
        answer_id = f"chatcmpl-{request_id}"
        if isinstance(answer, StreamedAnswer):
            options = body.stream_options
            include_usage = options is not None and bool(options.include_usage)
            answer.shape = wire.StreamShape(
                answer.plan,
                azure=azure,
                include_usage=include_usage,
                answer_id=answer_id,
                created=self._created,
            )
        elif isinstance(answer, WholeAnswer):
            answer.body = wire.whole_answer(
                answer.plan, azure=azure, answer_id=answer_id, created=self._created
            )

    def _delivery_logger(self, request_id: str) -> Callable[[LiveAnswer, str], None]:
        def note(answer: LiveAnswer, ended: str) -> None:
            served_ns = answer.admission.served_ns or 0
            sent_ns = tuple(answer.sent_ns or ())
            self.log.deliveries.append(Delivery(request_id, served_ns, sent_ns, ended))

        return note


def base_url(config: SimConfig, provider: str, port: int, host: str = "127.0.0.1") -> str:
    """Return the URL to write into a profile: up to `/v1` for openai, the resource for azure."""
    shown = f"[{host}]" if ":" in host else host
    root = f"http://{shown}:{port}/{provider}"
    return root if config.providers[provider].dialect == "azure" else f"{root}/v1"


@asynccontextmanager
async def serve(
    config: SimConfig, *, host: str = "127.0.0.1", port: int = 0, player: Player | None = None
) -> AsyncGenerator[SimulatorServer, None]:
    """Serve `config` on asyncio until the block ends; port 0 takes a free one.

    Raises:
        ConsoleError: if the configuration is wrong or the port cannot be had.
    """
    server = SimulatorServer(check_config(config), player)
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_server(server.connection, host, port, backlog=BACKLOG)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    except OverflowError as error:
        raise ConsoleError(f"port {port} is not between 0 and 65535") from error
    server.host = host
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.close_connections()
        await listener.wait_closed()


def _cannot_listen(host: str, port: int, error: OSError) -> ConsoleError:
    # asyncio's own message names the address a second time; the number survives in `errno`.
    if error.errno == errno.EADDRINUSE:
        return ConsoleError(f"port {port} is in use", hint="choose another with --port, or 0 for a free one")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConsoleError(f"port {port} may not be used", hint="ports below 1024 need privileges")
    reason = error.strerror or str(error)
    return ConsoleError(f"cannot listen on {host}, port {port}: {reason}")
