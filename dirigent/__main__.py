"""`python -m dirigent`."""

from dirigent.cli import main

main()
