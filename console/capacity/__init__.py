"""Capacity: what a model bears, level by level, and what is made of it."""
