"""Keeps what is in memory for good out of Python's searches for garbage.

Streamlit has one done through all objects of the process whenever a page has run, and no other page
runs meanwhile. With torch, networks and a thousand runs in memory, that took three quarters of the
time of a stroke.
"""

import gc
import itertools

_runs = itertools.count(1)


def settle() -> None:
    """Call it when a page begins. At the first run, the second, the fourth and so on, all that is
    in memory by then is left out from now on.

    So modules and networks are, soon after they were loaded. Of visitors' own objects few are,
    however long the server runs, and those go, too, unless they refer to each other in a circle.
    """
    run = next(_runs)
    if run & (run - 1) == 0:  # a power of two
        gc.collect()
        gc.freeze()
