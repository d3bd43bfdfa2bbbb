"""Sweeps: the space, the study, and the workers that search it, on one machine or on many.

Optuna samples, prunes and keeps the studies. It is loaded only by the modules that need it, which
pages and commands import inside functions; `space` and `plan` load without it.
"""
