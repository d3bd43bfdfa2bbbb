"""Parts of the Train page: controls, status, curves, the map of settings, images and files."""
