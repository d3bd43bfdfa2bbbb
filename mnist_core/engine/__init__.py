"""How a network computes: torch's layers in an order that a CPU is fast at, or native kernels.

May import models, data, imaging and the ground floor.
"""
