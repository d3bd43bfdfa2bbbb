"""Makes what ships: the grid, the zoo and the README's table of results. May use jobs."""
