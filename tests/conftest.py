"""Settings of all tests."""

from hypothesis import settings

# The first call of a kernel compiles it: no single example has a deadline.
settings.register_profile("creases", settings(), deadline=None)
settings.load_profile("creases")
