"""One run on several processes: lanes dealt out, tests and prompts handed out in batches, one picture of it all."""
