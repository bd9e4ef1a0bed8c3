"""The simulated provider: its behaviour, an HTTP server and process around it, and an in-process client."""
