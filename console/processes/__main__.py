"""`python -m console.processes FD`: one engine process of a run, started by its coordinator, which holds the other end."""

import socket
import sys

import anyio

from console.event_loop import loop_options
from console.processes.part import play_part

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        anyio.run(play_part, connection, backend_options=loop_options())
