"""Entry of the stack's own Python programs: `python -m cli.child PRELOAD PROGRAM ARGUMENTS…`.

Imports what the program needs while the stack still starts the queue and migrates the database, and begins when the
stack writes the program's environment to its stdin, as a line of JSON. What is preloaded must not read a setting. The
stack holds that pipe as long as it lives.
"""

import importlib
import json
import os
import runpy
import sys
import threading

from shared.program.heap import loading


def main() -> None:
    preload, program, *arguments = sys.argv[1:]
    with loading():
        importlib.import_module(preload)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        sys.exit("the stack ended before it began")
    # Only now: the settings' module is a part of what is preloaded.
    from shared.settings import replace_environment

    replace_environment(json.loads(line))
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
