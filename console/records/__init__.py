"""What a run leaves behind: its directory, its journal, and the tables made from it."""
