"""The command line: what each command does and prints. May import every other part of the core."""
