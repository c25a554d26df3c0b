"""``python -m haagenti.cli``: the command line without the installed program.

Not responsible for: anything else.
"""

from __future__ import annotations

from haagenti.cli import main

if __name__ == "__main__":
    main()
