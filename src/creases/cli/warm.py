"""`creases warm`: compile the engine in advance."""

from __future__ import annotations

import typer


def warm() -> None:
    """Compile the engine's kernels now, so that the first count does not have to wait for it.

    They are kept in a folder of your own (CREASES_CACHE_DIR, or the system's cache folder) and used by every
    later process.

    \b
    [bold]Examples[/bold]
    creases warm
    """
    from creases.compilation import compile_kernels, kernel_folder, say_if_compiling

    say_if_compiling(None)
    seconds = compile_kernels()
    folder = kernel_folder()
    kept = f"kept in {folder}" if folder is not None else "not kept: no folder for them can be written to"
    typer.echo(f"Kernels ready after {seconds:.1f} s, {kept}.")
