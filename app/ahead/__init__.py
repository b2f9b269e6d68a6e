"""Reading ahead: passages are read while nobody waits, so that a question need not wait for that."""
