"""Other ways to the same number: two packages, and three small programs of our own."""
