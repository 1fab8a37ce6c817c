"""The reader of images under a fuzzer that follows its branches; atheris is no dependency.

pip install atheris && python benchmarks/fuzz_coverage.py CORPUS -max_total_time=3600

CORPUS is a folder that may be empty; it keeps what reached something new. Whatever is no volume and
no typed error, and what takes 2 s or 512 MB more, ends the run and leaves its bytes in a file.
"""

import gzip
import os
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import atheris
from hypothesis.strategies import nothing

sys.path.insert(0, str(Path(__file__).parent.parent))

with atheris.instrument_imports(include=["slicenet.images", "slicenet.volume", "nibabel"]):
    from slicenet.images.options import ReadOptions
    from tests.fuzzed_images import File, read

from tests.fuzzing import Target, attempt
from tests.heads import head, save
from tests.slicenet.images.bad_files import BAD_FILES, NOT_FOR_ROOT
from tests.slicenet.images.brains import brain

NAMES = ("any.nii", "any.nii.gz", "any.mgz", "any.png", "any.tif", "any.jpg")
OPTIONS = ReadOptions(max_voxels=2**21, assume_ras=True, volume=0)
READER = Target("reader", nothing(), read, 100)
HEAD = 352  # bytes of a file before its voxels
VOXELS = brain()[14:26, 18:30, 14:26].tobytes()
SIZES = struct.pack("<3h", 40, 48, 40), struct.pack("<3h", 12, 12, 12)  # of the bad files, of seeds


def main(corpus: Path, arguments: list[str]) -> None:
    """Plant small seeds, then fuzz until libFuzzer's own options say stop."""
    corpus.mkdir(parents=True, exist_ok=True)
    _plant(corpus)
    # Time and memory are bounded below, by what the processor did and for each input anew.
    limits = ["-timeout=0", "-rss_limit_mb=0", f"-max_len={2**14}"]
    with tempfile.TemporaryDirectory() as folder:
        options = [sys.argv[0], *limits, *arguments, str(corpus)]
        atheris.Setup(options, lambda content: _read(content, Path(folder)))
        atheris.Fuzz()


def _read(content: bytes, folder: Path) -> None:
    """The first byte says under which name, and whether gzip is put around what follows."""
    kind, content = content[0] if content else 0, content[1:]
    packed = gzip.compress(content, 1, mtime=0) if kind >= 128 else content
    attempt(READER, File(NAMES[kind % len(NAMES)], packed, OPTIONS), folder)


def _plant(corpus: Path) -> None:
    """The heads of the bad files, unpacked, claiming few enough voxels that these follow."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("any.png", "any.tif", "any.jpg"):
            save(Path(folder, name), head(0)[0])
            seed = Path(folder, name).read_bytes()
            (corpus / f"seed-{name}").write_bytes(bytes([NAMES.index(name)]) + seed)
        for number, cases in BAD_FILES.items():
            for place, case in enumerate(cases if number not in NOT_FOR_ROOT else ()):
                path = case.build(Path(folder))
                if os.path.isfile(path):
                    seed = _head(path).replace(*SIZES) + VOXELS
                    (corpus / f"seed-{number}-{place}").write_bytes(b"\x80" + seed)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(2**16)
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(content, HEAD)
    except zlib.error:
        return content[:HEAD]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
