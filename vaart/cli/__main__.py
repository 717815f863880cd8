"""`python -m vaart.cli` is the `vaart` command."""

from vaart.cli.main import main

main()
