"""10 000 examples of what strangers may send: `make fuzz`.

python benchmarks/fuzz.py [EXAMPLES]
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fuzzed_images import IMAGES
from tests.fuzzed_texts import TEXTS
from tests.fuzzing import BreachError, explore


def main(examples: int) -> int:
    """Print for each target how many examples came to what; 0 if there was no breach."""
    breaches = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SLICENET_CACHE"] = folder
        for target in (*IMAGES, *TEXTS):
            seen: Counter[str] = Counter()
            told = ""
            try:
                explore(target, Path(folder), examples * target.share // 100, False, seen)
            except BreachError as error:
                breaches += 1
                told = "\n  ".join([f"; {error}", *getattr(error, "__notes__", [])])
            codes = ", ".join(f"{count} {code}" for code, count in seen.most_common())
            total = f"{seen.total()} examples, {breaches if told else 0} breaches"
            sys.stdout.write(f"{target.name}: {total}: {codes}{told}\n")
            sys.stdout.flush()
    return int(breaches > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
