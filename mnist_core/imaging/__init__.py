"""Pictures as arrays: from a drawing or photograph to the image that a network reads, and how it is
moved, corrupted and shown. May import the base modules only; loads without torch.
"""
