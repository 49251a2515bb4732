"""Calls the API over HTTP, for all commands that use a server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import BinaryIO, NamedTuple

from cli.exits import CliError, ExitCode
from cli.server.answers import Json, problem_of
from cli.server.connection import Connection
from shared.benchmark.results.outcome import FAILURES

_RESULTS_PAGE = 1_000
# The longest pause between two pieces of a file.
_DOWNLOAD_S = 60
# Enough to find the commonest messages.
_FAILURES_PAGE = 200


class Download(NamedTuple):
    """A file that arrives. `rows`: how many it will have; None if the server does not say."""

    pieces: Iterator[bytes]
    rows: int | None


class Client(Connection):
    """What the API of a server offers."""

    def submit(self, spec: Json) -> Json:
        """The new pending benchmark."""
        return self._json("POST", "/benchmarks", body=spec)

    def estimate(self, spec: Json) -> Json:
        """What the benchmark would send, take and cost. Nothing is stored."""
        return self._json("POST", "/benchmarks/estimate", body=spec)

    def benchmark(self, benchmark_id: int, include: str = "results") -> Json:
        return self._json("GET", f"/benchmarks/{benchmark_id}", params={"include": include})

    def rerun(self, benchmark_id: int) -> Json:
        """The new pending benchmark."""
        return self._json("POST", f"/benchmarks/{benchmark_id}/rerun")

    def cancel(self, benchmark_id: int) -> Json:
        return self._json("POST", f"/benchmarks/{benchmark_id}/cancel")

    def delete(self, benchmark_id: int) -> None:
        self._send("DELETE", f"/benchmarks/{benchmark_id}")

    def benchmarks(self, limit: int, **where: str | list[str] | None) -> tuple[list[Json], bool]:
        """At most `limit` benchmarks that match the filters `where`, newest first; and whether there are more."""
        return self._list("/benchmarks", limit, where)

    def audit(self, limit: int, **where: str | None) -> tuple[list[Json], bool]:
        """At most `limit` entries of the audit log that pass the filters, newest first; and whether there are more."""
        return self._list("/audit", limit, where)

    def models(self, limit: int, **where: str | None) -> tuple[list[Json], int]:
        """At most `limit` models, and the number of all models that match."""
        items, first, _ = self._pages("/models", limit, where)
        return items, int(first["total"])

    def providers(self) -> list[Json]:
        items: list[Json] = self._json("GET", "/providers")["items"]
        return items

    def workers(self) -> list[Json]:
        items: list[Json] = self._json("GET", "/workers")["items"]
        return items

    def results(self, benchmark_id: int, **params: str) -> Iterator[Json]:
        """Every result. Reads one page after the other."""
        cursor = None
        while True:
            page = self._json(
                "GET",
                f"/benchmarks/{benchmark_id}/results",
                params={"limit": str(_RESULTS_PAGE), **params, **({"cursor": cursor} if cursor else {})},
            )
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def curve(self, benchmark_id: int, slos: list[str]) -> Json:
        """The load curve. `slos`: bounds of percentiles, as in `ttft_ms:p95:500`."""
        return self._json("GET", f"/benchmarks/{benchmark_id}/curve", params={"slo": slos})

    def comparison(self, ids: Sequence[int], margins: Mapping[str, str] | None = None) -> Json:
        """The differences of benchmarks from the first one. `margins`: by default the server's."""
        return self._json("GET", "/compare", params={"ids": ",".join(map(str, ids)), **(margins or {})})

    def failures(self, benchmark: Json) -> list[Json]:
        """Measured results that did not succeed, at most 200 of each outcome. None if the summary counts none."""
        requests = (benchmark["summary"] or {}).get("requests", {})
        found: list[Json] = []
        for outcome in FAILURES:
            if requests.get(outcome):
                params = {"outcome": outcome, "limit": str(_FAILURES_PAGE)}
                found += self._json("GET", f"/benchmarks/{benchmark['id']}/results", params=params)["items"]
        return found

    def set_baseline(self, name: str, benchmark_id: int) -> Json:
        return self._json("PUT", f"/baselines/{name}", body={"benchmark_id": benchmark_id})

    def baseline(self, name: str) -> Json:
        return self._json("GET", f"/baselines/{name}")

    def baselines(self, limit: int) -> tuple[list[Json], bool]:
        """At most `limit` baselines, by name; and whether there are more."""
        return self._list("/baselines", limit, {})

    def delete_baseline(self, name: str) -> None:
        self._send("DELETE", f"/baselines/{name}")

    def spend(self, where: Mapping[str, str | None]) -> Json:
        return self._json("GET", "/spend", params={name: value for name, value in where.items() if value is not None})

    def budgets(self, limit: int, owner: str | None) -> tuple[list[Json], bool]:
        """At most `limit` budgets; and whether there are more."""
        return self._list("/budgets", limit, {"owner": owner})

    def set_budget(self, path: str, cap_usd: float) -> Json:
        return self._json("PUT", f"/budgets/{path}", body={"cap_usd": cap_usd})

    def delete_budget(self, path: str) -> None:
        self._send("DELETE", f"/budgets/{path}")

    def add_webhook(self, url: str, description: str) -> Json:
        """The new endpoint with its secret."""
        return self._json("POST", "/webhooks", body={"url": url, "description": description})

    def webhooks(self) -> list[Json]:
        """The first page of registered endpoints, newest first."""
        items: list[Json] = self._json("GET", "/webhooks")["items"]
        return items

    def delete_webhook(self, webhook_id: int) -> None:
        self._send("DELETE", f"/webhooks/{webhook_id}")

    def add_dataset(self, file: BinaryIO, params: Mapping[str, str]) -> tuple[Json, bool]:
        """(dataset, whether it is new). `params`: name, format and options."""
        response = self._send("POST", "/datasets", params=params, file=file)
        return self._body(response), response.status_code == HTTPStatus.CREATED

    def datasets(self, limit: int) -> tuple[list[Json], bool]:
        """At most `limit` datasets, newest first; and whether there are more."""
        return self._list("/datasets", limit, {})

    def dataset(self, dataset_id: int) -> Json:
        return self._json("GET", f"/datasets/{dataset_id}")

    def dataset_rows(self, dataset_id: int, limit: int) -> list[Json]:
        """The first rows, at most `limit` and a page."""
        items: list[Json] = self._json("GET", f"/datasets/{dataset_id}/rows", params={"limit": str(limit)})["items"]
        return items

    def delete_dataset(self, dataset_id: int) -> None:
        self._send("DELETE", f"/datasets/{dataset_id}")

    @contextmanager
    def download(self, path: str, params: Mapping[str, str]) -> Iterator["Download"]:
        """A file of the server, piece by piece. Raises CliError if the server refuses it, and if it breaks off."""
        with self._failing(), self._http.stream("GET", path, params=params, timeout=_DOWNLOAD_S) as response:
            if not response.is_success:
                response.read()
                raise problem_of(response, self.url)
            rows = response.headers.get("export-rows", "")
            yield Download(response.iter_bytes(), int(rows) if rows.isdecimal() else None)

    def import_benchmark(self, file: BinaryIO) -> tuple[Json, bool]:
        """(benchmark, whether it is new)."""
        response = self._send("POST", "/import", file=file, kind="application/json")
        return self._body(response), response.status_code == HTTPStatus.CREATED

    def check_ready(self) -> None:
        """Raises CliError that names each part that is not ready."""
        response = self._request("GET", "/ready")
        body = self._body(response)
        if response.status_code == 200:
            return
        missing = [
            f"{name}: {check.get('detail')}"
            for name, check in body.items()
            if isinstance(check, dict) and not check.get("ok")
        ]
        raise CliError(f"{self.url} is not ready to run a benchmark", ExitCode.UNREACHABLE, missing)
