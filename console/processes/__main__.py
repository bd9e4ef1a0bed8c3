"""`python -m console.processes FD ROLE`: one process of a run, started by its coordinator, which holds the other end.

ROLE is `engine` for one that plays a part, `client` for one that only sends requests and reads their answers.

Signals are the coordinator's: what sends them to a whole group (systemd, a closing session) would otherwise kill
the processes in the middle of their requests, while the coordinator still ends them in order.
"""

import signal
import socket
import sys

import anyio

from console.event_loop import loop_options
from console.processes.client_process import serve_requests
from console.processes.part import play_part

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        main = serve_requests if sys.argv[2:] == ["client"] else play_part
        anyio.run(main, connection, backend_options=loop_options())
