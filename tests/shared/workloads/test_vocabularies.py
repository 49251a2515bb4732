"""Tokens are counted in another process: it is started again if it ends, and it ends with its program."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from shared.workloads.vocabularies import Vocabularies


def test_it_counts_and_cuts_as_the_library_does() -> None:
    vocabularies = Vocabularies()
    try:
        assert vocabularies.count("cl100k_base", ["hello world", "", "a b c d"]) == [2, 0, 4]
        assert vocabularies.cut("cl100k_base", "one two three four", 2) == "one two"
    finally:
        vocabularies.close()


def test_a_process_that_was_killed_is_started_again() -> None:
    vocabularies = Vocabularies()
    try:
        assert vocabularies.count("cl100k_base", ["hello"]) == [1]
        process = vocabularies._process
        assert process is not None
        process.kill()
        process.wait()
        assert vocabularies.count("cl100k_base", ["hello world"]) == [2]
    finally:
        vocabularies.close()


def test_threads_get_the_counts_of_their_own_texts() -> None:
    vocabularies = Vocabularies()
    try:
        with ThreadPoolExecutor(8) as pool:
            texts = [["word " * number] for number in range(1, 65)]
            counts = list(pool.map(lambda text: vocabularies.count("cl100k_base", text), texts))
        assert [count for (count,) in counts] == [len(text[0].split()) + 1 for text in texts]
    finally:
        vocabularies.close()


def test_it_ends_with_its_program() -> None:
    """Also with one that was killed: its end of the pipe is closed then."""
    command = [sys.executable, "-P", "-m", "shared.workloads.vocabularies"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
