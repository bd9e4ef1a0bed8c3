"""Why a connection could not be made, in words."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import httpx
import pytest

from console.llm.dial import reason
from console.llm.route import Origin
from console.llm.tls import client_context


def test_trust_is_not_read_while_no_file_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(OSError, match="Too many"):
            client_context()


def test_a_resolver_that_cannot_open_its_files_is_not_a_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = socket.gaierror(-2, "Name or service not known")
    assert reason(problem) == "name not found (Name or service not known)"

    def full(*args: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        said = reason(problem)
    assert "ulimit" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Multiple exceptions: [Errno 111] to ('::1', 9, 0, 0), [Errno 111] to ('127.0.0.1', 9)",
            "connection refused",
        ),
        ("Multiple exceptions: [Errno 24] x, [Errno 111] y", "too many open files: raise `ulimit -n`"),
        ("Multiple exceptions: [Errno 101] x, [Errno 111] y", "network is unreachable, connection refused"),
        ("something else", "something else"),
    ],
)
def test_a_name_with_several_addresses_fails_in_words(text: str, said: str) -> None:
    assert reason(OSError(text)) == said
    assert reason(OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 9)")) == "no route to host"


def test_port_0_is_not_the_default_port() -> None:
    assert Origin.of(httpx.URL("http://h:0/")).port == 0
