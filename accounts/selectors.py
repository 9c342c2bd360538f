"""What is known of people and of the identity of accounts."""

from collections.abc import Collection

from accounts.models import Account, User


def identities(numbers: Collection[int]) -> dict[int, Account]:
    """Return the identities of customers' accounts, with their branches, by number."""
    return Account.objects.select_related("branch").in_bulk(list(numbers))


def names_of(people: Collection[int]) -> dict[int, str]:
    """Return people's names by their ids."""
    return dict(User.objects.filter(pk__in=people).values_list("pk", "full_name"))
