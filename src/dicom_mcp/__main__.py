"""`python -m dicom_mcp` is the console command."""

import os.path
import sys

if __name__ == "__main__":
    # `python -m` looks for modules in the folder it is started in before all others: a folder that
    # is called `dl` would be taken for what a library wants. It is not ours to import from.
    if not sys.flags.safe_path and not os.path.exists(os.path.join(sys.path[0], "dicom_mcp")):
        del sys.path[0]
    from .cli import main

    main()
