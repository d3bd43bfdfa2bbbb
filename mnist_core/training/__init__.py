"""The training loop: Trainer, optimisers and schedules, resuming, and what training costs.

May import all wings up to inspection; knows no processes and no queue.
"""
