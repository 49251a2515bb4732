"""The embedded stack: everything that a benchmark needs, as child processes. For `up`, `run`, `demo` and tests."""

from cli.stack.stack import EmbeddedStack

__all__ = ["EmbeddedStack"]
