"""My digits: drawings with their labels, a visitor's own or a group's, and how they are read."""
