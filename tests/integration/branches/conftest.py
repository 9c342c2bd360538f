"""What tests of the branches can ask for."""

import pytest

from tests.branches import MUM, Branches
from tests.integration.branches.moves import held_by
from tests.integration.branches.test_crossing import account_at


@pytest.fixture
def traveller(branches: Branches) -> int:
    """Return an account of Asha's in Mumbai, with ₹10."""
    assert branches
    return held_by(account_at(MUM, 1, balance=1_000))
