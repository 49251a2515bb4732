"""What a program loads when it is imported, seen in a fresh process."""

import subprocess
import sys


def loaded_by(*modules: str) -> set[str]:
    """Names of all modules that importing these brings along."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
