"""Runs on disk: their folders, configs, summaries and states, and the store that holds them.

Loads without torch. May import the ground floor, and of the networks no more than their names.
"""
