"""Secrets and URLs, found where the profile says, only when requests are about to be sent (law 9)."""

from __future__ import annotations

import contextlib
import importlib
import os
import selectors
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from console.profile.form import Key, Profile, Provider, url_fault
from console.profile.load import LoadedProfile
from console.profile.toml_lines import KeyPath, dotted
from console.vocabulary.chat import Api, Endpoint
from console.vocabulary.errors import ConsoleError, Problem, Problems
from console.vocabulary.lane import LaneSetup
from console.vocabulary.secret import Secret

COMMAND_TIMEOUT_S = 10.0
MOST_BYTES = 65_536
SIM_API_VERSION = "2024-10-21"


def resolve_secret(reference: str, environ: Mapping[str, str] | None = None) -> Secret:
    """Find the credential that a reference names.

    Raises:
        ConsoleError: if it is not there or no credential. The message never holds the value.
    """
    scheme, _, rest = reference.partition(":")
    try:
        if scheme == "env":
            return Secret(_from_environment(rest, os.environ if environ is None else environ), reference)
        if scheme == "file":
            return Secret(_from_file(rest), reference)
        if scheme == "cmd":
            return Secret(_from_command(rest), source_of(reference))
        if scheme == "keyring":
            return Secret(_from_keyring(rest), reference)
    except ValueError as error:  # from Secret, which names the source and not the value
        raise ConsoleError(str(error)) from None
    raise ConsoleError("this is no reference to a secret", hint="env:NAME, file:PATH, cmd:… or keyring:…")


def source_of(reference: str) -> str:
    """Return what a secret says of where it was found: its reference, of a command only the program."""
    scheme, _, rest = reference.partition(":")
    return f"cmd:{rest.split(maxsplit=1)[0]} …" if scheme == "cmd" else reference


def resolve_endpoints(
    profile: Profile | LoadedProfile,
    setups: Iterable[LaneSetup],
    sim_urls: Mapping[str, str] | None = None,
) -> dict[str, Endpoint]:
    """Return where the requests of each lane go, by lane id.

    Args:
        profile: the profile; as it was loaded, so that problems have its file and line.
        setups: the lanes in use; nothing else is resolved.
        sim_urls: base URL of each simulated provider in use, all of them. It is sent `sim-<key>`, never a
            real key.

    Raises:
        Problems: every secret and URL that could not be found, each once.
    """
    finder = _Finder(profile, sim_urls or {})
    endpoints = {setup.lane.id: finder.endpoint(setup) for setup in setups}
    if finder.problems:
        raise Problems(list(finder.problems.values()))
    return {lane: endpoint for lane, endpoint in endpoints.items() if endpoint is not None}


class _Finder:
    """Resolves each reference once, and collects what could not be."""

    def __init__(self, profile: Profile | LoadedProfile, sim_urls: Mapping[str, str]) -> None:
        self.profile = profile.profile if isinstance(profile, LoadedProfile) else profile
        self.loaded = profile if isinstance(profile, LoadedProfile) else None
        self.sim_urls = sim_urls
        self.problems: dict[str, Problem] = {}
        self._secrets: dict[str, Secret | None] = {}

    def endpoint(self, setup: LaneSetup) -> Endpoint | None:
        lane = setup.lane
        provider = self.profile.providers[lane.provider]
        if provider.api == "sim":
            return self._simulated(setup, provider)
        key = provider.keys.get(lane.key, Key())
        path = ("providers", lane.provider)
        if key.base_url is not None:
            url = self._url(key.base_url, (*path, "keys", lane.key, "base_url"))
        else:
            url = self._url(provider.base_url or "", (*path, "base_url"))
        secret = self._secret(key.secret, (*path, "keys", lane.key))
        if url is None or (key.secret is not None and secret is None):
            return None
        return Endpoint(
            api=provider.api,
            base_url=url,
            deployment=lane.deployment,
            api_version=provider.api_version,
            secret=secret,
        )

    def _simulated(self, setup: LaneSetup, provider: Provider) -> Endpoint:
        lane = setup.lane
        api: Api = provider.sim_behaviour.dialect
        return Endpoint(
            api=api,
            base_url=self.sim_urls[lane.provider],
            deployment=lane.deployment,
            api_version=(provider.api_version or SIM_API_VERSION) if api == "azure" else None,
            secret=Secret(f"sim-{lane.key}", "sim") if lane.key in provider.keys else None,
        )

    def _secret(self, reference: str | None, path: KeyPath) -> Secret | None:
        if reference is None:
            return None
        if reference not in self._secrets:
            try:
                self._secrets[reference] = resolve_secret(reference)
            except ConsoleError as error:
                self._secrets[reference] = None
                self._problem(reference, path, error)
        return self._secrets[reference]

    def _url(self, url: str, path: KeyPath) -> str | None:
        if url.startswith("env:"):
            name = url.removeprefix("env:")
            try:
                value = _from_environment(name, os.environ).strip()
                fault = url_fault(value)
                if fault is not None:
                    raise ConsoleError(f"environment variable {name} {fault}")
            except ConsoleError as error:
                self._problem(url, path, error)
                return None
            url = value
        return url.rstrip("/")

    def _problem(self, reference: str, path: KeyPath, error: ConsoleError) -> None:
        if self.loaded is not None:
            problem = self.loaded.problem(path, error.message, error.hint)
        else:
            problem = Problem(f"profile {self.profile.name}", None, dotted(path), error.message, error.hint)
        self.problems.setdefault(reference, problem)


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value is None:
        raise ConsoleError(f"environment variable {name} is not set", hint=f"export {name}=…")
    if not value.strip():
        raise ConsoleError(f"environment variable {name} is empty", hint=f"export {name}=…")
    return value


def _from_file(name: str) -> str:
    """Read a file that only its owner may read."""
    path = Path(name)
    try:
        path = path.expanduser()
        with open(path, "rb", opener=_open_without_waiting) as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise ConsoleError(f"{path}: is not a regular file")
            if info.st_mode & 0o066:
                hint = f"chmod 600 {shlex.quote(str(path))}"
                raise ConsoleError(f"{path}: others may read or write it", hint=hint)
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a home directory that is not known
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConsoleError(f"{path}: cannot be read: {reason}") from None
    if len(data) > MOST_BYTES:
        raise ConsoleError(f"{path}: is too large for a key")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConsoleError(f"{path}: is not text") from None


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a pipe, too, at once: it is refused afterwards."""
    return os.open(path, flags | os.O_NONBLOCK)


def _from_command(command: str) -> str:
    """Run a command without a shell and return the first line that it writes."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ConsoleError(f"cmd: reference cannot be split into words: {error}") from None
    if not argv:
        raise ConsoleError("cmd: reference names no command")
    what = f"command {argv[0]}"
    try:
        process = subprocess.Popen(  # noqa: S603 - the user wrote this command; no shell is between
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a NUL byte"
        raise ConsoleError(f"{what} cannot be run: {reason}") from None
    deadline = time.monotonic() + COMMAND_TIMEOUT_S
    with process:
        try:
            data = _read_all(process, deadline, what)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise ConsoleError(f"{what} did not end within {COMMAND_TIMEOUT_S:g} s") from None
        finally:
            if process.returncode is None:  # not reaped, so the number is still its own
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    if code != 0:
        raise ConsoleError(f"{what} failed with exit code {code}")
    lines = data.splitlines()
    if not lines or not lines[0].strip():
        raise ConsoleError(f"{what} wrote nothing")
    try:
        return lines[0].decode()
    except UnicodeDecodeError:
        raise ConsoleError(f"{what} wrote no text") from None


def _read_all(process: subprocess.Popen[bytes], deadline: float, what: str) -> bytes:
    """Read the output to its end, or until the deadline or the size of no key is passed."""
    assert process.stdout is not None
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(process.stdout.fileno(), MOST_BYTES)
            data += chunk
            if not chunk:
                return data
            if len(data) > MOST_BYTES:
                raise ConsoleError(f"{what} wrote too much for a key")
    raise subprocess.TimeoutExpired(what, COMMAND_TIMEOUT_S)


def _from_keyring(rest: str) -> str:
    service, _, user = rest.rpartition("/")
    try:
        keyring: Any = importlib.import_module("keyring")
        errors: Any = importlib.import_module("keyring.errors")
    except ImportError:
        raise ConsoleError(
            f"keyring:{rest} needs the keyring package", hint="pip install 'ultra-console[keyring]'"
        ) from None
    try:
        value = keyring.get_password(service, user)
    except errors.KeyringError as error:
        raise ConsoleError(f"keyring:{rest}: {type(error).__name__}") from None
    if not value:
        raise ConsoleError(f"keyring:{rest}: there is no such entry", hint=f"keyring set {service} {user}")
    return str(value)
