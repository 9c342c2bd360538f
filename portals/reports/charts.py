"""The picture of how an account went: a pure function of its figures.

Whoever imports this loads matplotlib: the worker, and nobody who serves pages.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
from django.conf import settings
from django.utils.translation import gettext as _
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.dates import HOURLY, AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from core.money import Money, currency_named
from portals.amounts import written, written_change
from portals.templatetags.bank import calendar_day, month_name
from transactions.reporting.account_days import AccountDays, Day, Month

# Those of design/themes.css in the light: pictures are printed and mailed.
IN: Final = "#0b7a75"
OUT: Final = "#b4480f"
BALANCE: Final = "#0f4c81"
TEXT: Final = "#131a26"
QUIET: Final = "#4d586b"
LINES: Final = "#dbe1ea"
PAPER: Final = "#ffffff"

# How many days are drawn one by one; of more, each week is drawn, and of many more, each month.
_MOST_DAYS: Final = 400
_MOST_DAYS_BY_WEEK: Final = 2_200
# Of more months, transactions are counted by year.
_MOST_MONTHS: Final = 24
# More bars are too narrow for a pattern, which takes long to draw; of still more, edges meet.
_MOST_PATTERNED: Final = 62
_MOST_HOLLOW: Final = 200
_WIDTH_OF_BAR: Final = 0.8
# A period of fewer days, or months, does not fill the picture: a bar alone would be a wall.
_LEAST_DAYS: Final = 7
_LEAST_COUNTS: Final = 6
_INCHES: Final = (10.0, 6.6)
_DOTS_PER_INCH: Final = 130
_BELOW_THE_HEAD: Final = (0.02, 0.01, 0.96, 0.76)
# Which font writes a language whose letters the bank's own has not; a machine may have it.
_LETTERS: Final = {"hi": "Noto Sans Devanagari"}
_FONTS: Final = frozenset(font.name for font in fontManager.ttflist)
_STYLE: Final[dict[Any, Any]] = {
    "font.family": ["DejaVu Sans", *_FONTS.intersection(_LETTERS.values())],
    "font.size": 10,
    "text.color": TEXT,
    "axes.edgecolor": LINES,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "hatch.linewidth": 0.6,
    # Letters as shapes: they look the same wherever the picture is opened.
    "svg.fonttype": "path",
    "svg.hashsalt": "bank",
}
# Without the time of drawing, equal figures make equal files.
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """Some days drawn as one: from a day on, that many."""

    first: date
    length: int
    coming: int
    going: int
    balance: int


def account_chart(history: AccountDays, form: str) -> bytes:
    """Draw how an account went, as ``png``, ``svg`` or ``pdf``.

    Credits and debits are told apart by place and filling, not by colour alone.
    """
    # The style is asked for while drawing and, by what is written, once more while saving.
    with mpl.rc_context(_STYLE):
        figure = _figure(history)
        file = BytesIO()
        figure.savefig(
            file, format=form, dpi=_DOTS_PER_INCH, facecolor=PAPER, metadata=_METADATA[form]
        )
    return file.getvalue()


def legible(language: str) -> str:
    """Return the language to draw in: a person's own where the machine has its letters."""
    wanted = _LETTERS.get(language.partition("-")[0])
    if wanted is None or wanted in _FONTS:
        return language
    return settings.LANGUAGE_CODE


def _figure(history: AccountDays) -> Figure:
    figure = Figure(figsize=_INCHES, layout=ConstrainedLayoutEngine(rect=_BELOW_THE_HEAD))
    upper, lower = figure.subplots(2, 1, height_ratios=(4, 1))
    _write_head(figure, history)
    _draw_days(upper, history)
    _draw_counts(lower, history.months)
    return figure


def _write_head(figure: Figure, history: AccountDays) -> None:
    account, period = history.account, history.period
    figure.text(
        0.04, 0.945, _("Account %(number)s") % {"number": account.number}, size=16, weight="bold"
    )
    days = {"first": calendar_day(period.first), "last": calendar_day(period.last)}
    figure.text(0.04, 0.905, _("%(first)s to %(last)s") % days, color=QUIET)
    stats = (
        (_("Total credits"), written_change(history.coming), IN),
        (_("Total debits"), written(Money(-history.going.minor, account.currency)), OUT),
        (_("Net change"), written_change(history.net), TEXT),
        (_("Balance at the end"), written(history.closing), BALANCE),
    )
    for place, (name, amount, color) in enumerate(stats):
        left = 0.04 + place * 0.24
        figure.text(left, 0.845, name, color=QUIET, size=9)
        figure.text(left, 0.797, amount, color=color, size=_fitting(amount), weight="bold")


def _fitting(text: str) -> float:
    """Return a size of letters in which a figure fits its place."""
    return min(14.0, 14.0 * 16 / len(text))


def _draw_days(axes: Axes, history: AccountDays) -> None:
    bars, currency = _bars(history.days), history.account.currency
    _draw_bars(axes, bars, currency)
    line = _draw_balance(axes.twinx(), bars, currency)
    _dress(axes, currency)
    axes.set_ylabel(_unit_of(bars))
    _keep_in_view(axes, history)
    axes.legend(
        handles=[*axes.collections, line],
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        frameon=False,
        handlelength=1.6,
    )


def _draw_bars(axes: Axes, bars: Sequence[_Bar], currency: str) -> None:
    """Draw what came in upwards and filled, what went out downwards, hollow or with a pattern."""
    looks: dict[str, Any] = {"color": OUT}
    if len(bars) <= _MOST_HOLLOW:
        looks = {"facecolor": PAPER, "edgecolor": OUT, "linewidth": 0.8}
    if len(bars) <= _MOST_PATTERNED:
        looks["hatch"] = "//////"
    coming = [(one, _major(one.coming, currency)) for one in bars if one.coming]
    going = [(one, -_major(one.going, currency)) for one in bars if one.going]
    # One thing to draw, not one for each bar: that takes several times as long.
    axes.add_collection(PolyCollection(_shapes(coming), color=IN, label=_("Credits")))
    axes.add_collection(PolyCollection(_shapes(going), label=_("Debits"), **looks))
    axes.axhline(0, color=QUIET, linewidth=0.8)


def _shapes(bars: Sequence[tuple[_Bar, float]]) -> list[list[tuple[float, float]]]:
    """Return the corners of bars from zero to their heights."""
    found = []
    for bar, height in bars:
        left = date2num(bar.first) + (1 - _WIDTH_OF_BAR) / 2 * bar.length  # type: ignore[no-untyped-call]
        right = left + _WIDTH_OF_BAR * bar.length
        found.append([(left, 0.0), (left, height), (right, height), (right, 0.0)])
    return found


def _draw_balance(axes: Axes, bars: Sequence[_Bar], currency: str) -> Any:
    """Draw the balance at each end on a scale of its own, at the right, and return its line."""
    # A point for the beginning, too: one day alone is a step.
    places = [date2num(bars[0].first)]  # type: ignore[no-untyped-call]
    places += [date2num(one.first + timedelta(one.length)) for one in bars]  # type: ignore[no-untyped-call]
    before = bars[0].balance - bars[0].coming + bars[0].going
    balances = [_major(before, currency), *(_major(one.balance, currency) for one in bars)]
    (line,) = axes.plot(
        places, balances, color=BALANCE, linewidth=2, label=_("Balance"), drawstyle="steps-mid"
    )
    _dress(axes, currency)
    axes.set_ylabel(_("Balance"), color=BALANCE)
    axes.tick_params(axis="y", labelcolor=BALANCE)
    axes.grid(visible=False)
    axes.margins(y=0.12)
    return line


def _draw_counts(axes: Axes, months: Sequence[Month]) -> None:
    counts, title = _counted(months)
    places = range(len(counts))
    drawn = axes.bar(places, [count for _name, count in counts], 0.6, color=LINES, edgecolor=QUIET)
    axes.bar_label(drawn, [f"{count}" for _name, count in counts], padding=2, size=9)
    axes.set_title(title, loc="left", size=10, color=QUIET)
    axes.set_xlim(-0.6, max(len(counts), _LEAST_COUNTS) - 0.4)
    axes.set_ylim(0, 1.35 * max(1, *(count for _name, count in counts)))
    axes.set_yticks([])
    step = -(-len(counts) // 12)
    axes.set_xticks(places[::step], [name for name, _count in counts[::step]])
    axes.tick_params(axis="x", length=0, labelsize=9)
    _without_frame(axes)


def _counted(months: Sequence[Month]) -> tuple[list[tuple[str, int]], str]:
    """Return the counts by month, or by year where there are many, and what they are called."""
    if len(months) <= _MOST_MONTHS:
        return [(month_name(one.month), one.entries) for one in months], _(
            "Transactions each month"
        )
    years: Counter[int] = Counter()
    for one in months:
        years[one.month.year] += one.entries
    return [(str(year), count) for year, count in years.items()], _("Transactions each year")


def _dress(axes: Axes, currency: str) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    # Nothing is drawn within a day.
    locator.intervald[HOURLY] = [24]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: _scale(value, currency)))
    axes.grid(axis="y", color=LINES, linewidth=0.8)
    axes.set_axisbelow(True)
    _without_frame(axes)


def _without_frame(axes: Axes) -> None:
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _keep_in_view(axes: Axes, history: AccountDays) -> None:
    """Show the whole period, and a scale also where nothing has moved."""
    period = history.period
    around = max(0, _LEAST_DAYS - len(period)) / 2
    first = date2num(period.first) - around  # type: ignore[no-untyped-call]
    axes.set_xlim(first, first + 2 * around + len(period))
    if history.entries:
        axes.margins(y=0.12)
        axes.autoscale_view(scalex=False)
        return
    axes.set_ylim(-1, 1)
    axes.set_yticks([0])
    words = _("No movements in this period")
    axes.text(0.5, 0.25, words, transform=axes.transAxes, ha="center", color=QUIET, size=12)


def _bars(days: Sequence[Day]) -> list[_Bar]:
    """Return the days as they are drawn: one by one, or added up by week or month."""
    found: list[_Bar] = []
    of = _bar_of(len(days))
    for one in days:
        if found and of(one.day) == of(found[-1].first):
            last = found.pop()
            found.append(
                _Bar(
                    last.first,
                    last.length + 1,
                    last.coming + one.coming,
                    last.going + one.going,
                    one.balance,
                )
            )
        else:
            found.append(_Bar(one.day, 1, one.coming, one.going, one.balance))
    return found


def _bar_of(count: int) -> Any:
    """Return what tells in which bar a day is, where there are so many."""
    if count <= _MOST_DAYS:
        return date.toordinal
    if count <= _MOST_DAYS_BY_WEEK:
        return lambda day: day.isocalendar()[:2]
    return lambda day: (day.year, day.month)


def _unit_of(bars: Sequence[_Bar]) -> str:
    longest = max(one.length for one in bars)
    if longest == 1:
        return _("Each day")
    return _("Each week") if longest <= len("weekday") else _("Each month")


def _major(minor: int, currency: str) -> float:
    """Return a height: the only place at which money is no whole number, since it is drawn."""
    return float(minor / 10 ** currency_named(currency).exponent)


def _scale(value: float, currency: str) -> str:
    """Write a height at the axis, without decimals: they are whole there."""
    exponent = currency_named(currency).exponent
    text = written(Money(round(value) * 10**exponent, currency))
    whole, point, rest = text.partition(".")
    return whole if not point else whole + rest.lstrip("0123456789")
