"""The data sets: their files, one split for all, augmentation, network input, and people's own
handwriting.

A new data set is a call of `register_dataset` in a file that is imported here. May import imaging
and the base modules.
"""

from mnist_core.data import mnist_family

# isort: split
# Data sets that are added come below: pages and charts keep the order of registration.
