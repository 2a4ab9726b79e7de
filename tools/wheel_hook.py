"""A hook of the wheel's build: put compiled kernels into the wheel, if a folder of them is named.

`tools/make_wheel.py` compiles them and names the folder; `pip install .` names none, and its wheel is plain Python.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledKernels(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the folder that the environment variable CREASES_COMPILED names as `creases/compiled`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is written."""
        folder = os.environ.get("CREASES_COMPILED")
        if folder and version == "standard":
            build_data["force_include"][folder] = "creases/compiled"
            # Machine code: the wheel is for this Python and this platform.
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
