"""One chat request: dialects, our own HTTP/1.1 transport under httpx's types, server-sent events, outcomes."""
