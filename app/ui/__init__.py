"""The chat's pages: widgets only. What they show comes from the orchestrator's events."""
