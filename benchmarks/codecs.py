"""How fast, and how small, are the byte codecs from Python, beside the C libraries that are linked and the packages people use?

    python benchmarks/codecs.py [--part overhead|size|threads|ratio|pictures]... [--quick | --full]

Every result is verified by a round trip before it is timed; candidates take turns; results go into warm memory where a package can do that.
"""

from __future__ import annotations

import argparse
import time

import codec_overhead
import codec_plot
import codec_ratio
import codec_size
import codec_threads
from codec_table import print_head

PARTS = {
    "overhead": codec_overhead.run,
    "size": codec_size.run,
    "threads": codec_threads.run,
    "ratio": codec_ratio.run,
    "pictures": codec_plot.run,
}


def main() -> None:
    """Measures and reports the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="may be given several times; without it all; pictures only draws again"
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="less data, fewer levels and repeats: to see that it runs")
    extent.add_argument("--full", action="store_true", help="whole files in the ratio part, whatever time that takes")
    arguments = parser.parse_args()
    print_head("byte codecs from Python: speed and size")
    for part in arguments.part or [part for part in PARTS if part != "pictures"]:
        print(f"\n=== {part} ===")
        start = time.perf_counter()
        PARTS[part](quick=arguments.quick, full=arguments.full)
        print(f"{part} took {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
