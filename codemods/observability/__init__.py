"""Rules on logs, traces, metrics and alarms."""
