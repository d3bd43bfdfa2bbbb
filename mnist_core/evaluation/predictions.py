"""What a run's network read in each test image, from its stored logits. Loads without torch."""

from __future__ import annotations
