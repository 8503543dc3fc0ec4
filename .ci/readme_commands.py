"""Run every command of README.md that stands in a block marked `sh`, in a fresh clone."""

import re
import shutil
import subprocess
from pathlib import Path

root = Path(__file__).parents[1]
clone = root / ".cache" / "clone"
shutil.rmtree(clone, ignore_errors=True)
subprocess.run(["git", "clone", "--quiet", root, clone], check=True)
blocks = re.findall(r"^```sh\n(.*?)^```", (root / "README.md").read_text("utf-8"), re.M | re.S)
for block in blocks:
    print(block)
    subprocess.run(["bash", "-euo", "pipefail", "-c", block], check=True, cwd=clone)
