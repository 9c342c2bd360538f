"""Pages in the Django admin that belong to no model: the bank at a glance, its books, its nodes."""
