"""The errors of Creases.

Each derives from `CreasesError` and from the corresponding built-in error. Messages say what is allowed, what was
given, and the remedy.
"""

__all__ = [
    "ComputationError",
    "CreasesError",
    "DomainError",
    "JournalError",
    "MissingExtraError",
    "ModelFileError",
    "NetworkError",
    "NotEnoughMemoryError",
    "SaveError",
    "UnsupportedModelError",
    "need_modules",
    "require_extra",
]


from importlib.util import find_spec

# Package names, where they differ from the module's name.
PACKAGES = {"sklearn": "scikit-learn"}


class CreasesError(Exception):
    """Base class of all errors that Creases raises on purpose."""


class NetworkError(CreasesError, ValueError):
    """Raised when arrays do not form a network, an input does not fit it, or an argument is out of its range."""


class DomainError(CreasesError, ValueError):
    """Raised when a domain is invalid or cannot be cut."""


class ModelFileError(CreasesError, ValueError):
    """Raised when a file is missing, truncated, inconsistent, unsafe or not of the format of its suffix."""


class UnsupportedModelError(ModelFileError, NotImplementedError):
    """Raised when a model is not piecewise linear or has an operator that is not supported; the message names the
    node.
    """


class ComputationError(CreasesError, RuntimeError):
    """Raised when a result cannot be proved on this machine: memory is exhausted, or denormal numbers are flushed to
    zero.
    """


class NotEnoughMemoryError(ComputationError, MemoryError):
    """Raised when a result does not fit into the free memory. Also a MemoryError."""


class SaveError(CreasesError, OSError):
    """Raised when a file cannot be written: the disk is full, the folder is missing, or permission is denied."""


class JournalError(CreasesError, RuntimeError):
    """Raised when a journal cannot be read or written, or is of another version."""


class MissingExtraError(CreasesError, ImportError):
    """Raised when an optional package is needed; the message has the command that installs it."""


def require_extra(module: str, extra: str, purpose: str) -> MissingExtraError:
    """The error to raise (from the ImportError) when `module` of the optional `extra` is missing.

    Examples
    --------
    >>> str(require_extra("onnx", "onnx", "Reading .onnx files"))
    "Reading .onnx files needs the package 'onnx'. Install it with: pip install 'creases[onnx]'"
    """
    return MissingExtraError(f"{purpose} needs the package {module!r}. Install it with: pip install 'creases[{extra}]'")


def need_modules(extra: str, purpose: str, *modules: str) -> None:
    """Raise MissingExtraError unless these modules are installed. None of them is imported.

    Examples
    --------
    >>> need_modules("torch", "Training", "numpy")
    >>> need_modules("plot", "Drawing", "no_plot")
    Traceback (most recent call last):
    creases.errors.MissingExtraError: Drawing needs the package 'no_plot'. Install it with: pip install 'creases[plot]'
    """
    for module in modules:
        if find_spec(module) is None:
            raise require_extra(PACKAGES.get(module, module), extra, purpose)
