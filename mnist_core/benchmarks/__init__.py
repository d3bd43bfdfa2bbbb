"""Measures what the README claims about speed. May import training, jobs and all below."""
