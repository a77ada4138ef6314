"""`python3 -m weights_copier`: the job."""

import sys

from weights_copier.job import main

if __name__ == "__main__":
    sys.exit(main())
