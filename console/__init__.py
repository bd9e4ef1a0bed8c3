"""ultra-console: the control console for fleets of LLM endpoints."""

__version__ = "0.1.0"
