"""Rehearsal: the real engine on a virtual clock, against providers that are supposed. Sends nothing, writes nothing."""
