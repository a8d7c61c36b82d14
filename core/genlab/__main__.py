"""`python -m genlab` is `gen`."""

from genlab.cli import main

main()
