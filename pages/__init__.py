"""The four pages: layout and words; what they show is computed in mnist_core."""
