"""How a network computes: torch's layers in an order that a CPU is fast at.

May import models, data, imaging and the ground floor.
"""
