"""Rules on where things stand in a project."""
