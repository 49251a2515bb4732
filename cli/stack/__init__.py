"""The embedded stack: everything a benchmark needs, as child processes. For `up`, `run`, `demo` and tests."""

from cli.stack.stack import EmbeddedStack

__all__ = ["EmbeddedStack"]
