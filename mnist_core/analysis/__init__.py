"""Runs as tables: one row for each, averages over seeds, landscapes, curves, descriptions, links.

May import all wings up to jobs; loads without torch.
"""
