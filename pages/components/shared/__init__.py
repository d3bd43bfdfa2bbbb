"""What the pages share: words for states, errors as sentences, rows of images."""
