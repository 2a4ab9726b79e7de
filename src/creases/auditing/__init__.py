"""An audit: a saved count or subdivision decided again in rationals, by code that shares nothing with the kernels."""

from creases.auditing.auditor import audit
from creases.auditing.errors import AuditError
from creases.auditing.report import Audit, Finding

__all__ = ["Audit", "AuditError", "Finding", "audit"]
