"""Change one digit in the golden finding of a notebook: nbval has to notice."""

import re
import sys

import nbformat

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
cell = next(cell for cell in notebook.cells if cell.id == "finding")
data = cell.outputs[0]["data"]
changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), data["text/plain"], count=1)
if changed == data["text/plain"]:
    sys.exit(f"{path} has no number in its finding")
data["text/plain"] = changed
nbformat.write(notebook, path)
