"""Rules that keep data and service alive."""
