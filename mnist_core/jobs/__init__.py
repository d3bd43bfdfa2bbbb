"""Work in processes of its own: training, its queue, and what is computed in the background.

May import training and everything below; torch only inside functions, so that pages stay light.
"""
