"""The chat in the browser: widgets only. What they show comes from the orchestrator's events."""
