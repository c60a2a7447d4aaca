"""Codemods: one file for each rule, in a folder for its category."""
