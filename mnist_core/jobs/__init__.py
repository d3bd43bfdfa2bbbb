"""Work in processes of its own: training, its queue, and what is computed in the background.

May import all wings up to training; torch only inside functions, so that a page can start work.
"""
