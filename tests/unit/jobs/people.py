"""Visitors of a lab that many share, and what they bring."""

from dataclasses import replace

import numpy as np

from mnist_core.data.drawing_sets import DrawingSet
from mnist_core.jobs import visitors
from mnist_core.jobs.permissions import Visitor
from mnist_core.runs.process import Process

ANNE, BOB = Visitor(visitors.key_of("anne"), False), Visitor(visitors.key_of("bob"), False)
CARL = Visitor(visitors.key_of("carl"), False)
TEACHER = replace(BOB, trusted=True)
ME = Process.of(1)
INK = np.full((28, 28), 200, np.uint8)
SET = DrawingSet("abcdefgh", "Class 7b")
