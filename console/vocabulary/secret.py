"""A secret that does not print itself (law 9)."""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn


class Secret:
    """A credential. `reveal()` is called only where a request header is built."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        """Hold `value`, found at `source` (such as `env:LAB_KEY_0`).

        Raises:
            ValueError: if the value is empty or holds a character no header may carry. The value is not in
                the message.
        """
        value = value.strip()
        if not value:
            raise ValueError(f"{source} is empty")
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError(f"{source} holds a character that no HTTP header may carry")
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """Return the credential itself."""
        return self._value

    @property
    def fingerprint(self) -> str:
        """First 8 hex digits of its SHA-256: tells two keys apart without showing either."""
        return hashlib.sha256(self._value.encode()).hexdigest()[:8]

    def mark(self, purpose: str) -> str:
        """Return 64 hex digits by which two holders of the same credential know it, for this purpose only."""
        return hmac.new(self._value.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return f"Secret({self.source}, fp {self.fingerprint})"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
