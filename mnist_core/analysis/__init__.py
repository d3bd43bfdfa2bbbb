"""Runs as tables: one row for each, averages over seeds, landscapes, curves, descriptions, links.

May import jobs and everything below; loads without torch.
"""
