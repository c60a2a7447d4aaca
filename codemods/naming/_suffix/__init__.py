"""The parts of the rule `env-suffix-names`."""
