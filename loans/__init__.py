"""Lending: products, applications, loans, repayment. Money is moved by ``transactions``."""
