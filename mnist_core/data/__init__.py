"""The data sets: their files, one split for all, augmentation, network input, and people's own
handwriting.

A new data set is a call of `register_dataset` in a file that is imported here, or a folder that
`from_pictures.add_own` has made. May import imaging and the base modules.
"""

from mnist_core.data import mnist_family

# isort: split
# Data sets that are added come below: pages and charts keep the order of registration.
from mnist_core.data.own import register_own
from mnist_core.paths import data_root

register_own(data_root())
