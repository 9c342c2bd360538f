"""The monthly report on paper. In English: no font for Hindi comes with the bank."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core.typesetting import typeset
from portals.reports.models import MonthlyReport
from portals.reports.tables import Table, tables_of
from portals.templatetags.bank import calendar_day

_TEMPLATE: Final = Path(__file__).parent / "typst" / "monthly.typ"
_BANK: Final = "Bankproject"


def report_as_pdf(report: MonthlyReport) -> bytes:
    """Set a report as PDF/UA; for workers and files, since it takes a second.

    Raises:
        TypesetterBusy, TypesettingFailed
    """
    with translation.override(settings.LANGUAGE_CODE):
        data = {
            "lang": "en",
            "bank": _BANK,
            "title": _("Monthly report %(month)s") % {"month": report},
            "foot": _("Figures as of %(day)s") % {"day": calendar_day(report.as_of.date())},
            "page-of": _("Page {page} of {pages}"),
            "tables": [_table(one) for one in tables_of(report)],
        }
    return typeset(_TEMPLATE, data)


def _table(table: Table) -> dict[str, object]:
    return {
        "title": table.title,
        "heads": list(table.headings),
        "numbers": [is_number for _heading, is_number in table.columns],
        "rows": [text for row in table.cells for text, _is_number in row],
        "nothing": table.nothing,
        "note": table.note,
    }
