"""What happens inside a network: its stages, their fields, costs, values and gradients.

May import evaluation and what lies below it.
"""
