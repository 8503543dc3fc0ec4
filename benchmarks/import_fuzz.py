"""Is every damaged file read exactly or refused? python benchmarks/import_fuzz.py [CASES] [SEED]

The cases and the judge are those of tests/fuzzing.py: files of every report that is read, cut, shuffled,
doubled, in another encoding, with stray separators, NULs, huge and formula cells, in their rows and in
their bytes. Prints what became of them, and every case that was neither read exactly nor refused.
"""

import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import cases, judged


def main(count: int = 10_000, seed: int = 1) -> int:
    verdicts: Counter[tuple[str, str]] = Counter()
    slowest, began = 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as aside:
        for number, case in enumerate(cases(seed, count)):
            folder, started = Path(aside) / "case", time.monotonic()
            try:
                verdict = judged(case, folder)
            except KeyboardInterrupt:
                break
            except BaseException as why:
                verdict = "FAILED"
                print(
                    f"case {number}: {case.fixture}, {case.what}: {type(why).__name__} {str(why)[:300]}"
                )
                print("   ", traceback.format_exc().splitlines()[-3].strip(), flush=True)
            slowest = max(slowest, time.monotonic() - started)
            verdicts[verdict, case.what] += 1
            shutil.rmtree(folder, ignore_errors=True)
    for (verdict, what), some in sorted(verdicts.items()):
        print(f"{verdict:8} {some:6,}  {what}")
    failed = sum(some for (verdict, _), some in verdicts.items() if verdict == "FAILED")
    took = time.monotonic() - began
    print(
        f"{sum(verdicts.values()):,} cases, {failed} failed, {took:.0f} s, slowest {slowest:.2f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
