"""``python -m hanzi_core``: every verb of the product."""

from hanzi_core.cli import main

if __name__ == "__main__":
    main()
