"""How a network computes: torch's layers in an order that a CPU is fast at, or native kernels.

May import only the base modules, such as `errors`.
"""
