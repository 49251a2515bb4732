"""The two kinds of clients: what is installed, generated and run for each."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
# `make clean` removes it. An installation is used again until its lock file changes.
INSTALLED = ROOT / ".venv/clients"

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of client. Commands run in the folder that they are given.

    `program`: what must be on the PATH, or None. `lock`: the file that names what is installed. `sources`: what is
    copied beside the generated client. `generate` gets the document and `play` the API's URL.
    """

    name: str
    program: str | None
    lock: Path
    sources: Sequence[Path]
    install: Callable[[Path], Sequence[Command]]
    generate: Callable[[Path, Path, Path], Sequence[Command]]
    play: Callable[[Path, str], Command]


def _install_python(folder: Path) -> Sequence[Command]:
    python = str(folder / "bin/python")
    requirements = ["--require-hashes", "-r", str(ROOT / "requirements/clients.txt")]
    return [
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
    ]


def _generate_python(folder: Path, work: Path, document: Path) -> Sequence[Command]:
    generator, output = str(folder / "bin/openapi-python-client"), str(work / "llmbench_client")
    # A model or an operation that it would have to leave out is a failure. `none`: the package alone.
    options = ["--meta", "none", "--config", str(HERE / "python/config.yaml"), "--fail-on-warning"]
    return [[generator, "generate", "--path", str(document), "--output-path", output, *options]]


def _install_typescript(folder: Path) -> Sequence[Command]:
    return [["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]]


def _generate_typescript(folder: Path, work: Path, document: Path) -> Sequence[Command]:
    programs = folder / "node_modules/.bin"
    generate = [str(programs / "openapi-typescript"), str(document), "-o", str(work / "schema.d.ts")]
    # Fields of a request that have a default may be left out.
    return [[*generate, "--default-non-nullable", "false"], [str(programs / "tsc"), "--project", str(work)]]


CLIENTS = (
    Kind(
        name="python",
        program=None,
        lock=ROOT / "requirements/clients.txt",
        sources=[HERE / "python/play.py"],
        install=_install_python,
        generate=_generate_python,
        play=lambda folder, url: [str(folder / "bin/python"), "play.py", url],
    ),
    Kind(
        name="typescript",
        program="npm",
        lock=HERE / "typescript/package-lock.json",
        sources=[HERE / "typescript" / name for name in ("package.json", "tsconfig.json", "play.ts")],
        install=_install_typescript,
        generate=_generate_typescript,
        play=lambda _, url: ["node", "play.js", url],
    ),
)
