"""Entry of the stack's own Python programs: `python -m cli.stack.child PRELOAD PROGRAM ARGUMENTS…`.

It imports the module PRELOAD while the stack still starts the queue and migrates the database. It starts the program
when the stack writes the program's environment to its stdin, as a line of JSON. The preloaded module must not read a
setting. The stack keeps that pipe open as long as it lives.
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
    # Imported only now, because preloading imports the settings' module too.
    from shared.settings import replace_environment

    replace_environment(json.loads(line))
    if sys.platform != "linux":
        # On Linux the kernel kills the children of a killed stack (see `cli.stack.process`).
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 64):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
