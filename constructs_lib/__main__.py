"""`python -m constructs_lib`: plans and catalogues on the command line."""

import sys

from constructs_lib.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
