"""Loading other banks' books: each row becomes a transfer and is compared with the journal.

A format (``berka``, ``seed_csv``) reads its files into entries; ``loading`` posts them in chunks
and compares. A row is known by its reference, which the ledger takes once: loading twice, two
loaders at once, and a loader killed at any instant all end with each row posted once.
"""
