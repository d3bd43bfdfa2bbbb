"""Parts of the pages. Those of one page never import those of another; all may import shared."""
