"""BLAS held to one thread: a product of small matrices is slower on two, and the caller has said how many to use."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

__all__ = ["one_thread"]


@cache
def controller() -> Any:
    """The process's thread pools, found once: looking for them takes a millisecond."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """While this is open, products of matrices use one thread each."""
    limited: AbstractContextManager[Any] = controller().limit(limits=1, user_api="blas")
    return limited
