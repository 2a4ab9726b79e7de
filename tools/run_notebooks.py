"""Execute the notebooks of docs/tutorials, and write what they print and draw into them: `make tutorials`.

With names of notebooks, only these. Times and paths of the machine are left out, so that a notebook changes only where
its numbers do.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tutorials"
# Kilobytes of a notebook with its outputs.
MOST = 400


def executed(path: Path) -> Any:
    """The notebook, run from the first cell to the last in a new kernel and an empty folder."""
    notebook = nbformat.read(path, as_version=4)
    # The kernel runs in another folder, and must find the same modules.
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3", record_timing=False, resources={"metadata": {"path": folder}}
        )
        client.execute()
    for cell in notebook.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            # Progress and warnings are not part of the lesson.
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def main() -> None:
    """Execute the notebooks and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="such as digits.ipynb; all of them where there are none")
    names = parser.parse_args().names
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    for path in [FOLDER / name for name in names] if names else sorted(FOLDER.glob("*.ipynb")):
        start = time.perf_counter()
        text = nbformat.writes(executed(path)) + "\n"
        size = len(text) / 1024
        if size > MOST:
            raise SystemExit(f"{path.name} would have {size:.0f} KB; {MOST} at most.")
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {size:.0f} KB, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
