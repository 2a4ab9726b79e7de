"""The version of Creases, read by the build and carried by every saved result."""

__version__ = "0.1.0"
