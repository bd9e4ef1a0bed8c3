"""The screen on which phases are chosen and launched."""
