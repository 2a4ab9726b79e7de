"""Audits: saved counts and subdivisions are verified in rational arithmetic, by code that is independent of the
kernels.
"""

from creases.auditing.auditor import audit
from creases.auditing.errors import AuditError
from creases.auditing.report import Audit, Finding

__all__ = ["Audit", "AuditError", "Finding", "audit"]
