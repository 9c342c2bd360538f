"""A program that sets one document: data as JSON come in, and a PDF goes out.

It is a process of its own, since setting thousands of rows takes hundreds of megabytes that a web
server would never give back.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import typst


def main() -> None:
    """Set the template that the first argument names, with the root in the second one."""
    template, root = sys.argv[1:]
    document: bytes = typst.compile(
        template,
        root=root,
        format="pdf",
        font_paths=[_fonts()],
        # Never as markup: what people write is text, whatever it looks like.
        sys_inputs={"data": sys.stdin.buffer.read().decode()},
        pdf_standards="ua-1",
    )
    sys.stdout.buffer.write(document)


def _fonts() -> str:
    """Return where fonts lie that come with the bank, whatever the machine has."""
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        message = "matplotlib, whose fonts documents are set in, is not installed"
        raise RuntimeError(message)
    return str(Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf")


if __name__ == "__main__":
    main()
