"""`python -m mnist_core COMMAND`: the same as the installed command `mnist-lab`."""

import sys

from mnist_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
