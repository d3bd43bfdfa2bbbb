"""What the fuzz program feeds the lab, a module for each kind of input."""
