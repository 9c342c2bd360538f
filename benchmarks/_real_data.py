"""Where the real banks' files lie."""

import os
import sys
from pathlib import Path


def real_data() -> Path:
    """Return the folder that BANK_REAL_DATA names; without it, say so and end."""
    folder = os.environ.get("BANK_REAL_DATA")
    if not folder:
        sys.exit("BANK_REAL_DATA names no folder with the real banks' files")
    return Path(folder)
