"""Rules that save money."""
