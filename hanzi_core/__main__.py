"""``python -m hanzi_core``: every verb of the product."""

import sys

if __name__ == "__main__":
    try:
        from hanzi_core.cli import main

        main()
    except KeyboardInterrupt:  # while the verb is still being imported, a second or two
        sys.exit(130)
