"""How a network computes: torch's layers in the order a CPU is quick at, native kernels."""
