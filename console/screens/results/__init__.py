"""The screen on which the results of a run are read."""
