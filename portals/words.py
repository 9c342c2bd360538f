"""Words that pages have for what the bank's books and requests call by short names."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

Words = str | Promise

KINDS: Final[dict[str, Words]] = {
    "transfer": _("Transfer"),
    "withdrawal": _("Cash withdrawal"),
    "payment": _("Payment"),
    "card": _("Card payment"),
    "deposit": _("Deposit"),
    "fee": _("Fee"),
    "interest": _("Interest"),
    "penalty_interest": _("Penalty interest"),
    "rounding": _("Rounding"),
    "reversal": _("Reversal"),
    "move": _("Move to another branch"),
    "loan": _("Loan"),
    "loan_repayment": _("Loan repayment"),
    "loan_interest": _("Loan interest"),
    "loan_fee": _("Loan fee"),
    "loan_penalty": _("Loan penalty"),
    "loan_capitalised": _("Dues that became principal"),
    "loan_write_off": _("Loan written off"),
    "loan_recovery": _("Recovery of a loan"),
}
CHANNELS: Final[dict[str, Words]] = {
    "web": _("Website"),
    "api": _("API"),
    "terminal": _("Terminal"),
    "teller": _("Counter"),
    "machine": _("Cash machine"),
    "bank": _("The bank"),
    "import": _("Brought in"),
}
PRODUCTS: Final[dict[str, Words]] = {
    "current": _("Current account"),
    "savings": _("Savings account"),
}
_DONE: Final[dict[str, Words]] = {
    "open": _("Account opened"),
    "set_holder": _("Holder changed"),
    "set_status": _("Status changed"),
    "set_limits": _("Limits changed"),
    "set_payee_limit": _("Payee's limit changed"),
    "hand_over": _("Handed over to another branch"),
    "take_over": _("Taken over from another branch"),
}
_ASKED: Final[dict[str, Words]] = {
    "change_role": _("Change role"),
    "change_account_limits": _("Change account limits"),
    "change_account_status": _("Change account status"),
    "change_account_holder": _("Change account holder"),
    "change_product_terms": _("Change product terms"),
    "reverse_transfer": _("Reverse transfer"),
    "appoint_risk_model": _("Appoint a risk model"),
    "restructure_loan": _("Restructure a loan"),
    "write_off_loan": _("Write a loan off"),
}
_FACTS: Final[dict[str, Words]] = {
    "account": _("Account"),
    "amount": _("Amount"),
    "currency": _("Currency"),
    "daily_limit": _("Daily limit"),
    "transfer_limit": _("Transfer limit"),
    "overdraft_limit": _("Overdraft limit"),
    "product": _("Product"),
    "purpose": _("Purpose"),
    "payee": _("Payee"),
    "rights": _("Rights"),
    "role": _("Role"),
    "status": _("Status"),
    "transfer_id": _("Transfer"),
    "user": _("User"),
    "user_id": _("User ID"),
    "branch": _("Branch"),
    "monthly_fee": _("Monthly fee"),
    "rate": _("Interest a year"),
    "from_date": _("From day"),
}
_PURPOSES: Final[dict[str, Words]] = {
    "customer": _("Customers' accounts"),
    "till": _("Cash desk"),
    "vault": _("Vault"),
    "nostro": _("Another bank"),
    "clearing": _("Clearing"),
    "fee_income": _("Fee income"),
    "interest_income": _("Interest income"),
    "interest_expense": _("Interest expense"),
    "suspense": _("Suspense"),
    "impairment": _("Impairment of loans"),
    "recovery_income": _("Recovered loans"),
    "loan_dues": _("Dues of loans"),
}
_LOOKED_AT: Final[dict[str, Words]] = {
    "accounts": _("Accounts"),
    "activity": _("Activity"),
    "audit": _("Audit"),
    "cash desk": _("Cash desk"),
    "customer file": _("The customer's file"),
    "disputes": _("Disputes"),
    "changes of access": _("Changes of access"),
    "changes of status": _("Changes of status"),
    "journal": _("Journal"),
    "list of accounts": _("List of accounts"),
    "card": _("Card"),
    "list of cards": _("List of cards"),
    "card payment": _("Card payment"),
    "list of card payments": _("List of card payments"),
    "list of loan applications": _("List of loan applications"),
    "list of loans": _("List of loans"),
    "list of messages": _("List of messages"),
    "list of people": _("List of people"),
    "list of requests": _("List of requests"),
    "list of transfers": _("List of transfers"),
    "list of webhooks": _("List of webhooks"),
    "loan application": _("Loan application"),
    "log of looks": _("Log of looks"),
    "message": _("Message"),
    "operations": _("Operations"),
    "transactions": _("Transactions"),
    "webhook": _("Webhook"),
    "operation log": _("Operation log"),
    "security check": _("Security check"),
    "personal data": _("Personal data"),
    "request": _("Request"),
    "search": _("Search"),
}
_KNOWN: Final = {
    **_LOOKED_AT,
    **_PURPOSES,
    **_FACTS,
    **_ASKED,
    **CHANNELS,
    **_DONE,
    **KINDS,
}
_REVEALED: Final = "revealed: "


def words_for(name: str) -> Words:
    """Return a page's words for a short name of the books, or the name as words."""
    return _KNOWN.get(name) or name.replace("_", " ").capitalize()


def said(text: str) -> str:
    """Return what was kept in English in the page's language, where it is a text of the bank's."""
    return gettext(text) if text else ""


def looked_at(what: str) -> Words:
    """Return what somebody of the staff looked at: a place, or the kinds of data revealed."""
    if not what.startswith(_REVEALED):
        return words_for(what)
    labels = [gettext(label) for label in what.removeprefix(_REVEALED).split(", ")]
    return gettext("Revealed: %(labels)s") % {"labels": ", ".join(labels)}
