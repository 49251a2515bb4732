"""Entry of the stack's own Python programs: `python -m cli.child PRELOAD PROGRAM ARGUMENTS…`.

Imports what the program needs while the database is still being migrated (worth seconds), and begins when the stack
writes a line to its stdin. The stack holds that pipe as long as it lives.
"""

import importlib
import os
import runpy
import sys
import threading

GO = b"go\n"


def main() -> None:
    preload, program, *arguments = sys.argv[1:]
    importlib.import_module(preload)
    if os.read(0, len(GO)) != GO:
        sys.exit("the stack ended before it began")
    if sys.platform != "linux":
        # Linux kills the children of a killed stack by itself (see `cli.stack.process`).
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
