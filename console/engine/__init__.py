"""The engine: lanes, gates, dispatch and retries. It draws nothing, and knows not whether anybody watches."""
