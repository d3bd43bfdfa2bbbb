"""Runs on disk: their folders, configs, summaries and states, and the store that holds them.

Loads without torch, knows no networks and no recipes; imports nothing but the base modules.
"""
