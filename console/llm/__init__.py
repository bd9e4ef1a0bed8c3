"""One chat request: dialects, our own HTTP/1.1 transport under httpx's types, server-sent events, outcomes.

httpx brings its command line along where click and Rich are installed, which is a sixth of what an engine takes to start;
it goes without where these cannot be imported.
"""

import sys

if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = None  # pyright: ignore[reportArgumentType] - how Python is told that it cannot be
    import httpx as httpx

    del sys.modules["httpx._main"]
