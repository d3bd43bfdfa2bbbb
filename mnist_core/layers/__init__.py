"""A network's layers as data: the text that people write, and what each layer costs and sees.

Pure Python: no torch is loaded to check a network, or to say what it costs.
"""
