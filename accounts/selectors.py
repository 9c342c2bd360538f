"""What is known of people and of the identity of accounts."""

from collections.abc import Collection

from accounts.models import Account, User


def identities(numbers: Collection[int], *, using: str = "default") -> dict[int, Account]:
    """Return the identities of customers' accounts, with their branches, by number."""
    return Account.objects.using(using).select_related("branch").in_bulk(list(numbers))


def names_of(people: Collection[int], *, using: str = "default") -> dict[int, str]:
    """Return people's names by their ids."""
    if not people:
        return {}
    return dict(User.objects.using(using).filter(pk__in=people).values_list("pk", "full_name"))
