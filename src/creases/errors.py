"""The family of errors that Creases raises.

Each derives from `CreasesError` and from the built-in that a caller would expect, and each message
says what is allowed, what was given, and the remedy.
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

# Packages whose modules have another name.
PACKAGES = {"sklearn": "scikit-learn"}


class CreasesError(Exception):
    """Any error that Creases raises on purpose."""


class NetworkError(CreasesError, ValueError):
    """The arrays do not make a ReLU network, or an input does not fit it."""


class DomainError(CreasesError, ValueError):
    """The domain does not exist or cannot be cut."""


class ModelFileError(CreasesError, ValueError):
    """A file cannot be read as what its name says it is: missing, truncated, inconsistent or unsafe."""


class UnsupportedModelError(ModelFileError, NotImplementedError):
    """The model is well formed but is not a chain of layers that Creases knows; the node is named."""


class ComputationError(CreasesError, RuntimeError):
    """The machine cannot give a proof: memory ran out, or its arithmetic flushes small numbers to zero."""


class NotEnoughMemoryError(ComputationError, MemoryError):
    """A result does not fit into the free memory."""


class SaveError(CreasesError, OSError):
    """A file cannot be written: its disk is full, its folder is not there, or it may not be written to."""


class JournalError(CreasesError, RuntimeError):
    """A journal cannot be read or written, or is of another version."""


class MissingExtraError(CreasesError, ImportError):
    """An optional package is needed; the message holds the command that installs it."""


def require_extra(module: str, extra: str, purpose: str) -> MissingExtraError:
    """The error to raise (from the ImportError) when `module` of the optional `extra` is missing.

    Examples
    --------
    >>> str(require_extra("onnx", "onnx", "Reading .onnx files"))
    "Reading .onnx files needs the package 'onnx'. Install it with: pip install 'creases[onnx]'"
    """
    return MissingExtraError(f"{purpose} needs the package {module!r}. Install it with: pip install 'creases[{extra}]'")


def need_modules(extra: str, purpose: str, *modules: str) -> None:
    """Raise MissingExtraError unless these modules can be found: asked before a file or a folder is made, and before
    long work. None is imported.

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
