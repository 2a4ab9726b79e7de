"""The command line. The file of each command parses its options, calls a function of the package, and prints the
result.

Results go to stdout and progress to stderr. On invalid input a command prints one sentence with a remedy, and its exit
code is 2; on Ctrl-C it prints "stopped", and its exit code is 130. Neither shows a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main", "run"]

BAD_INPUT = 2
STOPPED = 130


def main() -> None:
    """The `creases` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors that a user can correct are printed, not raised."""
    from creases.cli.app import app
    from creases.errors import CreasesError

    try:
        code = app(args=list(arguments), prog_name="creases", standalone_mode=False)
    except CreasesError as error:
        return tell(str(error))
    except (KeyboardInterrupt, EOFError):
        return stopped()
    except MemoryError:
        return tell("The machine has not enough memory for this. Count on a smaller domain.")
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return quiet_pipe()
        from creases.files import remedy_of

        return tell(f"{error.filename or 'The output'}: {error.strerror or error}. {remedy_of(error)}")
    except Exception as error:
        if type(error).__name__ == "Abort":  # some versions of typer raise this on Ctrl-C
            return stopped()
        # A usage error of the parser. Its class is in different modules in different versions of typer; its method is
        # the same.
        if (message := getattr(error, "format_message", None)) is None:
            raise
        said = message().rstrip(".?!")
        # Without a command the parser has printed its help, and there is no message.
        return tell(f"{said}. {hint(error)}".strip()) if said else BAD_INPUT
    return stopped() if code == STOPPED else int(code or 0)


def tell(message: str) -> int:
    """Print one error on stderr; returns the exit code."""
    print(f"Error: {message}", file=sys.stderr)
    return BAD_INPUT


def stopped() -> int:
    """Print "stopped" after Ctrl-C; returns the exit code."""
    print("stopped", file=sys.stderr)
    return STOPPED


def hint(error: Exception) -> str:
    """A sentence that says where to find help after a usage error."""
    context = getattr(error, "ctx", None)
    return "The command's --help shows its forms." if context is None else f"See '{context.command_path} --help'."


def quiet_pipe() -> int:
    """The reader of the output has closed the pipe (creases ... | head): print nothing, now and at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
