"""Where the shared networks are: real trained networks of others, read in place and never copied."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "networks"


def shared(name):
    """The path of a shared network; the test that asks is skipped where the folder is absent."""
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not here: the shared networks live in {SHARED}, outside the project")
    return SHARED / name


def shared_case(name):
    """The path of a file on which something went wrong once; skipped likewise."""
    folder = SHARED.parent / "cases"
    if not (folder / name).exists():
        pytest.skip(f"{name} is not here: the shared cases live in {folder}, outside the project")
    return folder / name
