"""What tests of pages can ask for."""

from collections.abc import Iterator

import pytest

from bankproject.runtime.postgres import BankUrls
from tests.website import website


@pytest.fixture(scope="module")
def site(shared_bank: BankUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve one bank to all tests of a module, and give its address."""
    with website(shared_bank, tmp_path_factory.mktemp("bank")) as address:
        yield address
