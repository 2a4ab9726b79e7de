"""What the numbers were measured on: the machine, the versions, the day, and how busy the machine was."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import creases

PACKAGES = ("numpy", "numba", "python-flint", "regioncam", "affinitree")


def processor():
    """The processor's own name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def version_of(package):
    """The installed version, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def load():
    """Processes that were running, averaged over a minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def describe():
    """Machine, versions and date as a dict of strings and numbers."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "creases": creases.__version__,
        **{package: version_of(package) for package in PACKAGES},
        "load_before": load(),
    }
