"""The Live canvas: the browser computes the network while the pen moves."""
