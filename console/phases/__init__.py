"""Phases: a named matrix of tests, made into jobs, an order and a plan."""
