"""The committed style sheet is what its sources make."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.machine import give_up

PROJECT: Final = Path(__file__).resolve().parents[2]
DESIGN: Final = PROJECT / "design"


def test_the_style_sheet_is_current(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        give_up("npm is not on this machine, and the style sheet is compiled with it")
    if not (DESIGN / "node_modules").exists():
        install = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(install, cwd=DESIGN, check=True, timeout=300)
    compiled = tmp_path / "bank.css"
    compile_it = ["npm", "run", "--silent", "css", "--", "--output", str(compiled)]
    subprocess.run(compile_it, cwd=DESIGN, check=True, capture_output=True, timeout=120)
    current = compiled.read_text(encoding="utf-8")
    assert (PROJECT / "static" / "bank.css").read_text(encoding="utf-8") == current, "`make css`"
