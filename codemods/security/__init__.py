"""Rules that close what is open."""
