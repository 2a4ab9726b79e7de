"""The command line: one file a command, each of which parses, calls a front door, and prints.

Results go to stdout and progress to stderr. Bad input is one sentence with its remedy and exit code 2;
Ctrl-C is "stopped" and exit code 130; neither shows a traceback.
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
    """Run one command line and return its exit code; errors that a user can mend are told, not raised."""
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
        if type(error).__name__ == "Abort":  # typer's word for Ctrl-C, in some of its versions
            return stopped()
        # A usage error of the parser. Its class has moved between versions of typer; its method has not.
        if (message := getattr(error, "format_message", None)) is None:
            raise
        said = message().rstrip(".?!")
        # With no command at all the parser has printed its help, and has no more to say.
        return tell(f"{said}. {hint(error)}".strip()) if said else BAD_INPUT
    return stopped() if code == STOPPED else int(code or 0)


def tell(message: str) -> int:
    """One error on stderr."""
    print(f"Error: {message}", file=sys.stderr)
    return BAD_INPUT


def stopped() -> int:
    """The answer to Ctrl-C."""
    print("stopped", file=sys.stderr)
    return STOPPED


def hint(error: Exception) -> str:
    """Where to read on after a usage error."""
    context = getattr(error, "ctx", None)
    return "The command's --help shows its forms." if context is None else f"See '{context.command_path} --help'."


def quiet_pipe() -> int:
    """The reader of our output has left (creases ... | head); say nothing, and let nothing be said at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
