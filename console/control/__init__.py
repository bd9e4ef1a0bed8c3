"""The unix socket between an engine and those who watch it: snapshots out, commands in."""
