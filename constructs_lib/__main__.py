"""`python -m constructs_lib`: the command `tgi-endpoint`, where its script is not on the PATH."""

import sys

from constructs_lib.cli.main import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m constructs_lib"))
