"""Turns one HTTP request into the steps of its response; holds what outlives a request: counters, records, the key."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from hmac import compare_digest
from random import Random
from typing import Any

import orjson

from shared.clock import wall_now
from simulator.answer import Answer, generate
from simulator.bill import PATH as BILL_PATH
from simulator.connections.http_head import Request, chunk, head, whole
from simulator.fault import Fault, FaultKind
from simulator.profile import InvalidHeader, Profile, UnknownOption
from simulator.protocols.call import Call, Problem, Refused
from simulator.protocols.wire_format import WireFormat
from simulator.queueing.pool import Ticket, Work
from simulator.queueing.pools import Pools
from simulator.queueing.prefix_cache import blocks_of
from simulator.queueing.truth import truth_response
from simulator.record import Records, RequestRecord
from simulator.routes import generation_wire, side_response
from simulator.script import Close, Deadlines, Ending, Script, SlotDeadlines, Step, Write
from simulator.text import prompt_text

_HTML_502 = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_RETRY_AFTER = {"": "1", "hour": "3600"}
_RETRY_DATE_S = 2
# Where protocols have the text of a prompt, in its order.
_PROMPT_FIELDS = ("system", "instructions", "messages", "input")


@dataclass(frozen=True, slots=True)
class Response:
    """`record` is None for requests that ask for no answer; `singly` lets other work run between any two writes.

    `ticket`: the request's place in the queueing mode.
    """

    steps: Iterator[Step]
    record: RequestRecord | None
    chunked: bool = False
    singly: bool = False
    ticket: Ticket | None = None


class Service:
    def __init__(self, records: Records, defaults: Profile, seed: int, require_key: str | None, pools: Pools) -> None:
        self._records = records
        self._pools = pools
        self._defaults = defaults
        self._seed = seed
        self._key = require_key.encode() if require_key is not None else None
        self._of_model: Counter[str] = Counter()

    def respond(self, request: Request) -> Response:
        wire = generation_wire(request)
        if wire is None:
            return self._side(request)
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            body = None
        record = self._records.begin(wire.name, request.received_ns, request.headers, body, len(request.body))
        try:
            self._check_key(wire, request.headers)
            call = self._call(wire, record, body, request)
            ordinal = self._ordinal(call.model)
            profile = self._profile(wire, call, request.headers, ordinal)
        except Refused as refused:
            return self._refuse(wire, record, request, refused.problem)
        if profile.fault is not None:
            record.fault = profile.fault.name
            if profile.fault.variant == "html":
                return self._error(record, request, 502, _HTML_502, {"content-type": "text/html"})
            if profile.fault.kind is FaultKind.ERROR:
                return self._refuse(wire, record, request, self._fault_problem(wire, call, profile.fault))
            if profile.fault.kind is FaultKind.HANG_HEAD:
                record.prompt_tokens = call.input_tokens
                return Response(iter([Ending(request.received_ns, Close.HANG)]), record)
        random = Random(f"{self._seed}:{call.model}:{ordinal}")  # noqa: S311 - repeatable is what it must be
        answer = generate(profile, call.max_tokens, call.stops)
        record.status, record.prompt_tokens = 200, call.input_tokens
        ticket, deadlines = None, Deadlines(profile, request.received_ns, random)
        if profile.queues:
            ticket = self._enter(profile, call, record, request.received_ns)
            deadlines = SlotDeadlines(profile, request.received_ns, random, ticket)
        if call.stream:
            return self._stream(wire, record, request, call, profile, answer, deadlines, ticket)
        return Response(self._whole(wire, request, call, profile, answer, deadlines), record, ticket=ticket)

    def _enter(self, profile: Profile, call: Call, record: RequestRecord, received_ns: int) -> Ticket:
        """The request's place in the pool of its model name."""
        record.input_tokens = call.input_tokens

        def granted(ticket: Ticket) -> None:
            record.started_ns, record.cached_tokens = ticket.started_ns, ticket.cached_tokens
            call.cache.tokens = ticket.cached_tokens

        blocks: tuple[bytes, ...] = ()
        if profile.cache:
            blocks = blocks_of(prompt_text(*(record.body.get(name) for name in _PROMPT_FIELDS)))
        pool = self._pools.of(call.model, profile, received_ns)
        return pool.enter(profile, received_ns, Work(call.input_tokens, blocks), granted)

    def _check_key(self, wire: WireFormat, headers: Mapping[str, str]) -> None:
        if self._key is None:
            return
        if not compare_digest(wire.key_of(headers).encode("utf-8", "replace"), self._key):
            raise Refused(wire.problem(401, ""))

    def _call(self, wire: WireFormat, record: RequestRecord, body: Any, request: Request) -> Call:
        if body is None:
            raise Refused(Problem(400, "We could not parse the JSON body of your request: it is not valid JSON."))
        return wire.parse(record.number, body, request.headers, int(wall_now().timestamp()))

    def _ordinal(self, model: str) -> int:
        if len(self._of_model) > 10_000 and model not in self._of_model:
            self._of_model.clear()  # a client that invents models must not fill the memory
        self._of_model[model] += 1
        return self._of_model[model]

    def _profile(self, wire: WireFormat, call: Call, headers: Mapping[str, str], ordinal: int) -> Profile:
        try:
            profile = Profile.parse(call.model, headers, self._defaults)
        except UnknownOption as error:
            raise Refused(wire.problem(404, call.model[:200], str(error))) from error
        except InvalidHeader as error:
            raise Refused(Problem(400, str(error))) from error
        if profile.every and ordinal % profile.every:
            profile = replace(profile, fault=None)
        return wire.adapt(profile, call)

    def _fault_problem(self, wire: WireFormat, call: Call, fault: Fault) -> Problem:
        problem = wire.problem(fault.status, call.model[:200])
        if fault.status != 429 or fault.variant == "bare":
            return problem
        if fault.variant == "date":
            after = format_datetime(wall_now() + timedelta(seconds=_RETRY_DATE_S), usegmt=True)
        else:
            after = _RETRY_AFTER[fault.variant]
        return replace(problem, headers={"retry-after": after})

    def _refuse(self, wire: WireFormat, record: RequestRecord, request: Request, problem: Problem) -> Response:
        headers = {"content-type": "application/json", **wire.response_headers(record.number), **problem.headers}
        return self._error(record, request, problem.status, wire.error_body(problem, record.number), headers)

    def _error(
        self, record: RequestRecord, request: Request, status: int, data: bytes, headers: Mapping[str, str]
    ) -> Response:
        record.status = status
        start = head(status, {**headers, "content-length": str(len(data))}, keep_alive=request.keep_alive)
        now = request.received_ns
        return Response(iter([Write(now, start + data), Ending(now, Close.ERROR)]), record)

    def _side(self, request: Request) -> Response:
        if request.path == BILL_PATH:
            status, data = 200, self._records.bill.document()
        else:
            status, data = truth_response(request.path, self._pools, self._defaults) or side_response(request)
        headers = {"content-type": "application/json", "content-length": str(len(data))}
        start = head(status, headers, keep_alive=request.keep_alive)
        if request.method == "HEAD":
            data = b""
        now = request.received_ns
        return Response(iter([Write(now, start + data), Ending(now, Close.DONE)]), None)

    def _stream(
        self,
        wire: WireFormat,
        record: RequestRecord,
        request: Request,
        call: Call,
        profile: Profile,
        answer: Answer,
        deadlines: Deadlines,
        ticket: Ticket | None,
    ) -> Response:
        finished = Close.CLOSE if profile.no_done else Close.DONE
        frame = chunk if request.chunked else whole
        script = Script(profile, deadlines, frame, wire.keep_alive, wire.error_event(call), finished)
        headers = {"content-type": wire.stream_type, "cache-control": "no-cache"}
        if request.chunked:
            headers["transfer-encoding"] = "chunked"
        headers |= wire.response_headers(call.number)
        start = head(200, headers, keep_alive=request.keep_alive and finished is Close.DONE)

        def steps() -> Iterator[Step]:
            yield Write(deadlines.received_ns, start)
            yield from script.steps(wire.events(call, answer, profile))

        return Response(steps(), record, request.chunked, singly=bool(profile.cut), ticket=ticket)

    def _whole(
        self, wire: WireFormat, request: Request, call: Call, profile: Profile, answer: Answer, deadlines: Deadlines
    ) -> Iterator[Step]:
        """One write, when the last content event of the stream would have been due."""
        kind = profile.fault.kind if profile.fault else None
        if kind in (FaultKind.ENDLESS, FaultKind.COMMENTS):
            yield Ending(request.received_ns, Close.HANG)
            return
        pieces = list(answer.pieces)
        count = len(answer.reasoning) + len(pieces)
        last = 0 if profile.burst else max(count - 1, 0)
        if hold := deadlines.hold(0):
            yield hold
        for slot in range(last if isinstance(deadlines, SlotDeadlines) else 0):
            yield Write(deadlines.due(slot), b"")  # the next deadline depends on how many requests run at this one
        due_ns = deadlines.due(last)
        headers = {"content-type": "application/json", **wire.response_headers(call.number)}
        if kind is FaultKind.MID_ERROR:
            problem = wire.problem(wire.failed_status, call.model[:200])
            data = wire.error_body(problem, call.number)
            start = head(problem.status, {**headers, "content-length": str(len(data))}, keep_alive=request.keep_alive)
            yield Write(due_ns, start + data)
            yield Ending(due_ns, Close.ERROR)
            return
        data = wire.body(call, answer, profile)
        start = head(200, {**headers, "content-length": str(len(data))}, keep_alive=request.keep_alive)
        if kind in (FaultKind.FIN, FaultKind.RST, FaultKind.END):
            yield Write(due_ns, start + data[: len(data) // 2])
            yield Ending(due_ns, Close.RST if kind is FaultKind.RST else Close.FIN)
        elif kind is FaultKind.HANG:
            yield Write(due_ns, start)
            yield Ending(due_ns, Close.HANG)
        else:
            yield Write(due_ns, start + data, int(count > 0), answer.output_tokens)
            yield Ending(due_ns, Close.DONE)
