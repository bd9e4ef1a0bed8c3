"""Built-in profiles, phases and capacity presets: TOML read through `importlib.resources`."""
