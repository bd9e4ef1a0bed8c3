"""The screen on which runs are listed, opened and compared."""
