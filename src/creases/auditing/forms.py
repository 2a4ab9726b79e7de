"""The arithmetic of an audit: the network on a domain in integers (`creases.exact_network`), and products.

It imports none of the code that counts.
"""

from __future__ import annotations

from typing import Any

from creases.exact_levels import Bits
from creases.exact_network import ExactNetwork, Form, Point, cross, packed, primitive, unpacked

__all__ = ["Bits", "ExactNetwork", "Form", "Point", "cross", "dot", "packed", "primitive", "unpacked"]


def dot(form: Form, ray: Form) -> Any:
    """The form's value at a ray, of two or three coordinates."""
    if len(form) == 3:  # written out, because an audit spends most of its time here
        return form[0] * ray[0] + form[1] * ray[1] + form[2] * ray[2]
    return form[0] * ray[0] + form[1] * ray[1]
