"""Benchmarks: what a request costs, whether our clock is right, how fast it starts. `make bench`, or `python -m benchmarks`."""
