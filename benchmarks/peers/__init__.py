"""Other ways to the same number: two packages, and three small programs of our own."""

from __future__ import annotations

from benchmarks.networks import random_layers


class Peer:
    """Another program on a case; it remembers what it counted."""

    def __init__(self, count, case):
        self.count, self.case, self.found = count, case, None
        n_in = case.hidden[0][0].shape[1]
        count(random_layers([n_in, 2, 2, 1])[:-1])  # it imports what it needs: no time of a count

    def __call__(self):
        self.found = self.count(self.case.hidden)

    def note(self, sample):
        """Whether it counted right, and how often it was run."""
        right = self.found == self.case.regions
        said = "same count" if right else f"it counts {self.found:,}, which is wrong"
        return "; ".join(filter(None, (said, sample.few)))
