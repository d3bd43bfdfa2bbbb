"""Plotly figures. Each takes a table, most a data frame; none reads a store or does statistics.

May import analysis and the wings below it; loads without torch.
"""
