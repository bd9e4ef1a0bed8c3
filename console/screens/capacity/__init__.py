"""The screen on which it is found out how many concurrent requests a model bears."""
