"""Django's registration of ``loans``."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LoansConfig(AppConfig):
    """Register ``loans``: what approvals carry out, what closing a day does, what books prove."""

    name = "loans"

    def ready(self) -> None:
        """Let approvals, closings and the books' check find what loans add to them."""
        from loans import books, closing, deciding, demo, products, writing_off  # noqa: F401  # approvals find them
        from loans.brought_in import bring_in
        from loans.repaying import pay_by_order
        from loans.risk import appointing  # noqa: F401  # approvals find it
        from loans.risk.demo import ask_for_model
        from transactions.branches.books import also_check
        from transactions.closing.steps import add_steps
        from transactions.demo.loading import also_add_terms, also_add_wishes
        from transactions.imports.berka.load import lent_by
        from transactions.payments.paying_in import also_taken_by
        from transactions.staff_groups import on_migrated

        add_steps(*closing.STEPS)
        also_check(books.check_loans)
        also_add_terms(demo.add_loan_terms)
        also_add_terms(ask_for_model)
        also_add_wishes(demo.add_applications)
        also_taken_by(pay_by_order)
        lent_by(bring_in)
        # The group of loan officers has permissions that are made only now.
        post_migrate.connect(on_migrated, sender=self)
