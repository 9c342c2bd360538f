"""What Django is to find of this app's models."""

from portals.reports.models import MonthlyReport, ReportMailing

__all__ = ["MonthlyReport", "ReportMailing"]
