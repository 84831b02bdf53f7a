"""Measures the memory of a parser child over time: runs extract and normalise on many pages in one process.

    python -m bench.extraction_memory DOCUMENTS... [--pages 5000]

DOCUMENTS as for `bench.extraction`, repeated until the number of pages is reached. Prints a table of resident memory
(VmRSS of /proc/self/status), ten lines.
"""

import argparse
import re
from itertools import cycle, islice
from pathlib import Path

from bench.extraction import copydesk, documents_of

_LINES = 10  # lines of output; chosen: enough to see a trend
_RSS = re.compile(r"VmRSS:\s+(\d+) kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=5000)
    arguments = parser.parse_args()
    documents = list(documents_of(arguments.documents, None))
    print("| pages | resident, MB |\n| --- | --- |")
    for number, document in enumerate(islice(cycle(documents), arguments.pages), 1):
        copydesk(document)
        if number % (arguments.pages // _LINES) == 0:
            print(f"| {number} | {resident_mb():.1f} |", flush=True)


def resident_mb() -> float:
    found = _RSS.search(Path("/proc/self/status").read_text())
    if found is None:
        raise OSError("no VmRSS in /proc/self/status")
    return int(found.group(1)) / 1024


if __name__ == "__main__":
    main()
