"""A customer's pages."""
