"""A disk that is full: a small one of its own where this process may mount one, else a limit on the size of files."""

import contextlib
import resource
import subprocess

import pytest

from children import LONGEST


@pytest.fixture
def small_disk(tmp_path):
    """A function that makes a disk of so many bytes and gives its folder; skipped where nothing may be mounted."""
    mounted = []

    def make(size):
        folder = tmp_path / f"disk_{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        if done.returncode:
            pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=LONGEST)


@contextlib.contextmanager
def no_file_above(size):
    """A block in which no file of this process can become larger: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
