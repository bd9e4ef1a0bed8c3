"""Benchmarks: what the client costs, and whether its clock is right. `make bench`, or `python -m benchmarks`."""
