"""The screen on which a run is watched and controlled."""
