"""Django's registration of ``transactions``."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from core.db import aliases, fitness, reading


class TransactionsConfig(AppConfig):
    """Register ``transactions``, and who knows the bank's nodes."""

    name = "transactions"

    def ready(self) -> None:
        """Let commands find and know the nodes, readers and schema the replica; welcome people."""
        from accounts.registering import registration_confirmed
        from notifications.notices.composing import detailed_by
        from notifications.notices.models import NoticeKind
        from transactions import account_desk, reversing, staff_groups, welcome  # noqa: F401  # approvals find them
        from transactions.branches import belonging, freshness, registry, replica
        from transactions.card_payments import asking as card_requests  # noqa: F401  # approvals find it
        from transactions.log_in_summary import summary_of
        from transactions.products import changing as product_changes  # noqa: F401  # approvals find it

        aliases.found_by(registry.refresh)
        fitness.checked_by(belonging.refuse_stranger)
        reading.copies_known_by(freshness.copies)
        post_migrate.connect(replica.on_migrated, sender=self)
        post_migrate.connect(staff_groups.on_migrated, sender=self)
        registration_confirmed.connect(welcome.on_registration_confirmed)
        detailed_by(NoticeKind.LOG_IN, "log_in", summary_of)
