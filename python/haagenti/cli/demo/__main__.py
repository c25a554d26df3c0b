"""``python -m haagenti.cli.demo MODEL_DIR TEXT OUT_DIR``: the demo without the installed program.

Not responsible for: anything else.
"""

from __future__ import annotations

import sys

from haagenti.cli.run import run

if __name__ == "__main__":
    raise SystemExit(run(["demo", *sys.argv[1:]]))
