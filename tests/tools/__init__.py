"""Programs that measure or break the lab: run them with python -m tests.tools.NAME."""
