"""The training loop: Trainer, optimisers and schedules, resuming, and what training costs.

May import inspection and everything below; knows no processes and no queue.
"""
