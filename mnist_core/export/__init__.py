"""A run as something that other programs open. What is made here is bytes by file name."""
