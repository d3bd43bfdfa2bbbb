"""Plotly figures. Each takes a table, most a data frame; none reads a store or does statistics.

May import analysis and everything below; loads without torch.
"""
