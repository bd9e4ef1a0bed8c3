"""The screen on which profiles are edited."""
