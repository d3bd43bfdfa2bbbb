"""What a trained network answers, and how good that is: predictions, metrics, statistics.

May import runs, engine, data, models, imaging and the base modules.
"""
