"""Run every command of README.md that stands in a block marked `sh`, in a fresh clone."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

root = Path(__file__).parents[1]
clone = root / ".cache" / "clone"
shutil.rmtree(clone, ignore_errors=True)
subprocess.run(["git", "clone", "--quiet", root, clone], check=True)
readme = (root / "README.md").read_text("utf-8")
for _, indented in re.findall(r"^( *)```sh\n(.*?)^\1```", readme, re.M | re.S):
    block = textwrap.dedent(indented)
    print(block, flush=True)
    subprocess.run(["bash", "-euo", "pipefail", "-c", block], check=True, cwd=clone)
