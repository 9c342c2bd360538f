"""Lending: products, applications, loans and their repayment. The money is moved by ``transactions``."""
