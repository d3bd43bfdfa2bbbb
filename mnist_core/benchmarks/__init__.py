"""How fast the lab trains, beside what others do: `python -m mnist_core bench`."""
