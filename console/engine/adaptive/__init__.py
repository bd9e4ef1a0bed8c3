"""Adaptive mode: one controller a lane finds its hidden limits, without clock, socket or randomness."""
