"""``bank loans``: what one would cost, applying for one, one's own, and paying for them."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, ChangeCommand, KeyedCommand, noun
from client.commands.choosing import own_account, path_part
from client.commands.transfers import From
from client.desk import desk_of
from client.screen import Column

app = noun("Your loans, and what new ones would cost.")

Product = Annotated[str, typer.Option(help="personal, home, vehicle or education.")]
Number = Annotated[str, typer.Argument(metavar="LOAN", help="The loan's number.")]

LOAN: Final = (
    Column("Number", "number"),
    Column("Product", "product"),
    Column("State", "state"),
    Column("Owed", "owed", is_figure=True),
    Column("Due", "due", is_figure=True),
    Column("Currency", "currency"),
    Column("Days late", "days_late", is_figure=True, is_spare=True),
    Column("Lent", "amount", is_figure=True, is_spare=True),
    Column("Paid from", "account", is_spare=True),
)
INSTALMENT: Final = (
    Column("No.", "number", is_figure=True),
    Column("Due", "due_date"),
    Column("Principal", "principal", is_figure=True),
    Column("Interest", "interest", is_figure=True),
    Column("Fee", "fee", is_figure=True),
    Column("Total", "total", is_figure=True),
    Column("Left", "balance_after", is_figure=True),
    Column("State", "state"),
)
QUOTE: Final = (
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Months", "months", is_figure=True),
    Column("Instalment", "instalment", is_figure=True),
    Column("Opening fee", "opening_fee", is_figure=True),
    Column("Interest in all", "total_interest", is_figure=True),
    Column("Cost in all", "total_cost", is_figure=True),
)
APPLICATION: Final = (
    Column("Id", "id"),
    Column("Product", "product"),
    Column("State", "state"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Months", "months", is_figure=True),
    Column("Offered until", "offered_until"),
    Column("First look", "risk_band", is_spare=True),
    Column("Why", "risk_reasons", is_spare=True),
    Column("Reason", "decision_reason", is_spare=True),
    Column("Purpose", "purpose", is_spare=True),
    Column("Account", "account", is_spare=True),
)
PAYOFF: Final = (
    Column("To pay", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Principal", "principal", is_figure=True),
    Column("Interest", "interest", is_figure=True),
    Column("Fees", "fee", is_figure=True),
    Column("Penalties", "penalty", is_figure=True),
)
REPAYMENT: Final = (
    Column("Transfer", "transfer_id"),
    Column("Loan", "loan"),
    Column("From", "account"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Principal", "principal", is_figure=True),
    Column("Interest", "interest", is_figure=True),
    Column("Booked", "made_at", is_instant=True),
)


@app.command("list", cls=BankCommand)
def list_loans(context: typer.Context) -> None:
    """List your loans, newest first.

    Examples:
        bank loans list
        bank loans list --json
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.get("/loans")["loans"], LOAN)


@app.command(cls=BankCommand)
def schedule(context: typer.Context, loan: Number) -> None:
    """Show the instalments of a loan, and how far they are.

    Examples:
        bank loans schedule 201000000330
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.get(f"/loans/{path_part(loan)}")["schedule"], INSTALMENT)


@app.command(cls=BankCommand)
def quote(
    context: typer.Context,
    *,
    amount: Annotated[str, typer.Option(help="To borrow, such as 120000.")],
    months: Annotated[int, typer.Option(min=1, help="To repay it in so many.")],
    product: Product = "personal",
    currency: Annotated[str, typer.Option(help="Its currency.")] = "INR",
) -> None:
    """Show what a loan would cost; nothing is written.

    Examples:
        bank loans quote --amount 120000 --months 12
        bank loans quote --amount 2500000 --months 240 --product home --json
    """
    desk = desk_of(context)
    body = {"product": product, "amount": amount, "currency": currency, "months": months}
    desk.screen.item(desk.bank.look("/loans/quote", body), QUOTE)


@app.command(cls=ChangeCommand)
def apply(  # noqa: PLR0913  # a parameter an option
    context: typer.Context,
    *,
    amount: Annotated[str, typer.Option(help="To borrow, such as 120000.")],
    months: Annotated[int, typer.Option(min=1, help="To repay it in so many.")],
    purpose: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    income: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="What you earn in a month.")
    ] = None,
    product: Product = "personal",
    account: Annotated[
        str | None, typer.Option(help="Your account that it is paid to and repaid from.")
    ] = None,
) -> None:
    """Apply for a loan; the bank decides. A draft that you have for the product is replaced.

    Examples:
        bank loans apply --amount 120000 --months 12 --purpose "a wedding" --income 60000
    """
    desk = desk_of(context)
    payee = own_account(desk, account, option="--account", label="Account")
    currency = payee["currency"]
    wanted = {"product": product, "amount": amount, "currency": currency, "months": months}
    wish = {
        **wanted,
        "account": payee["number"],
        "purpose": purpose or desk.questions.text("Purpose", option="--purpose"),
        "monthly_income": income or desk.questions.text("Monthly income", option="--income"),
    }
    if desk.must_agree:
        desk.screen.aside(desk.bank.look("/loans/quote", wanted), QUOTE)
    desk.agree(f"Apply for {amount} {currency} over {months} months?")
    draft = desk.bank.ensure("/loan-applications", wish)
    sent = desk.bank.ensure(f"/loan-applications/{draft['id']}/submit")
    desk.screen.item(sent, APPLICATION)
    desk.screen.next("bank loans applications")


@app.command(cls=BankCommand)
def applications(context: typer.Context) -> None:
    """List your applications that are no loans, newest first.

    Examples:
        bank loans applications
    """
    desk = desk_of(context)
    found = desk.bank.get("/loan-applications")["applications"]
    desk.screen.items(found, APPLICATION)


@app.command(cls=BankCommand)
def payoff(context: typer.Context, loan: Number) -> None:
    """Show what it takes to repay a whole loan today.

    Examples:
        bank loans payoff 201000000330
    """
    desk = desk_of(context)
    desk.screen.item(desk.bank.get(f"/loans/{path_part(loan)}/payoff"), PAYOFF)


@app.command(cls=KeyedCommand)
def pay(
    context: typer.Context,
    loan: Number,
    *,
    amount: Annotated[str | None, typer.Option(help="Without it, all that is owed.")] = None,
    source: From = None,
) -> None:
    """Pay for a loan: penalties first, then fees, interest and principal.

    Examples:
        bank loans pay 201000000330 --amount 10690.14
        bank loans pay 201000000330 --from 201000000022 --yes
    """
    desk = desk_of(context)
    account = own_account(desk, source, option="--from", label="From")
    body = {"account": account["number"], "currency": account["currency"]}
    path = f"/loans/{path_part(loan)}"
    if desk.must_agree:
        desk.screen.aside(desk.bank.get(f"{path}/payoff"), PAYOFF)
    desk.agree(f"Pay {amount or 'all that is owed'} for {loan} from {body['account']}?")
    paid = desk.change(f"{path}/repayments", {**body, "amount": amount} if amount else body)
    desk.screen.item(paid, REPAYMENT)
