"""Long proofs on servers of their own: ``make prove NAME=…``. ``make test`` runs short ones."""
