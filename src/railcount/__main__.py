"""``python -m railcount``."""

from railcount.cli.main import main

main()
