"""What an audit cannot begin with."""

from creases.errors import CreasesError

__all__ = ["AuditError"]


class AuditError(CreasesError, ValueError):
    """Raised when the arguments of an audit do not fit together."""
