"""Rules on what has a newer way to be said, or was never there."""
