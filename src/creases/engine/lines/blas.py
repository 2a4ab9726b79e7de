"""Limit BLAS to one thread: products of small matrices are slower on two, and the caller has chosen the number of
threads.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

__all__ = ["one_thread"]


@cache
def controller() -> Any:
    """The process's thread pools, looked up once, because this takes a millisecond."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """A context in which products of matrices use one thread each."""
    limited: AbstractContextManager[Any] = controller().limit(limits=1, user_api="blas")
    return limited
