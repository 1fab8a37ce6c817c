"""Write every bad file of the reader's tests into one folder, for `slicenet check` to read.

python benchmarks/bad_files.py FOLDER && slicenet check FOLDER
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.slicenet.images.bad_files import BAD_FILES


def main(folder: Path) -> None:
    """Build all of them; their names begin with letter and number of the list of bad inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [bad.build(folder) for bads in BAD_FILES.values() for bad in bads]
    sys.stdout.write(f"{len(paths)} files of {len(BAD_FILES)} numbers in {folder}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
