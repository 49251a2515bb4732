"""Tells reasoning from the answer where a model writes both into the content, with tags around the first."""

import re
from collections.abc import Iterable

from shared.protocols.events import Content, Reasoning, StreamEvent, ToolCall, WasReasoning

# Opening and closing tags that models and servers write.
_PAIRS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    # gpt-oss, where the server leaves the marks of its channels in the text.
    "<|channel|>analysis<|message|>": "<|end|><|start|>assistant<|channel|>final<|message|>",
}
_TAGS = (*_PAIRS, *_PAIRS.values())
_LONGEST = max(map(len, _TAGS))
_TAG = re.compile("|".join(map(re.escape, _TAGS)))
_FIRST = re.compile(r"[<\[]")
_MARK = re.compile(r"[<\[`]")
# A tag of which a text speaks has one of these before it or after it.
_BEFORE = frozenset(" \t\\`\"'“‘«([{<=|")
_AFTER = frozenset(" \t\\`\"'”’»)]}>=|.,;:!?")


class ThinkTags:
    """Takes the content of one answer, event by event. Only an answer that begins with reasoning has reasoning in it.

    The opening tag may stand in the prompt. Then the reasoning ends with a closing tag that has no opening one, unless
    the text only speaks of that tag: in code, or with a space, a quote or a bracket beside it.
    """

    def __init__(self) -> None:
        # Whether the answer begins with reasoning.
        self.found = False
        # The tag that will end the reasoning; None: what comes is no reasoning, as far as is known.
        self._closing: str | None = None
        # The reasoning has ended, and only line breaks came after it.
        self._just_ended = False
        # Nothing that comes can change what the content is.
        self._decided = False
        # Whether reasoning came outside the content: then none of it is in there without an opening tag.
        self._reasoning_outside = False
        # A closing tag at the end of the content so far: what comes next says whether it ends reasoning.
        self._pending = ""
        # Closing tags that end no reasoning, because they or their opening ones came in the text.
        self._spoken_of: set[str] = set()
        # How many characters came, if all of them are blank or may be the first part of a tag; else None.
        self._blank: int | None = 0
        # The end of the content so far that may be the first part of a tag, and the character before it.
        self._held = ""
        self._before = "\n"
        # Whether the content so far ends within code: an odd number of backticks came.
        self._in_code = False

    def beside(self, event: StreamEvent) -> list[StreamEvent]:
        """Takes an event whose text stood outside the content, and gives it back."""
        self._reasoning_outside = True
        self._decided |= isinstance(event, Content | ToolCall)
        pending, self._pending = self._pending, ""
        if pending and isinstance(event, ToolCall):
            self.found = True
            return [WasReasoning(len(pending)), event]
        return [event]

    def kind_of(self, text: str) -> type[Content] | type[Reasoning] | None:
        """What the next pieces of content are, all together. None if that depends on where they are cut."""
        if self._closing is not None:
            return None if self._held or self._closing[0] in text else Reasoning
        if self._decided:
            return None if self._just_ended else Content
        if self._blank is not None or self._pending:
            return None
        if self._is_plain(text):
            self._before = text[-1]
            return Content
        known, text = len(self._held), self._held + text
        if any(self._ends_reasoning(tag[0], text[: tag.start()], "") for tag in _TAG.finditer(text)):
            return None
        # Without such a tag, all of it stays content, wherever it is cut.
        self._pass(text, known)
        return Content

    def events(self, text: str) -> list[StreamEvent]:
        """What the next piece of content is. Reasoning without text is a tag, which is generated but not shown."""
        if self._closing is not None:
            return self._think(text, self._closing)
        if self._just_ended:
            return self._end("", text)
        if self._pending:
            return self._after_tag(text)
        return [Content(text)] if self._decided else self._search(text)

    def _search(self, text: str) -> list[StreamEvent]:
        """Looks for a tag by which the answer begins with reasoning. Until then all is content: no token comes late."""
        if self._is_plain(text):
            self._before = text[-1]
            return [Content(text)]
        known, text = len(self._held), self._held + text
        for tag in _TAG.finditer(text):
            before, after = text[: tag.start()], text[tag.end() :]
            if tag[0] in _PAIRS and self._blank is not None and not before.strip():
                earlier: list[StreamEvent] = [WasReasoning(self._blank)] if self._blank else []
                self.found, self._held = True, ""
                return earlier + self._think(after, _PAIRS[tag[0]])
            if self._ends_reasoning(tag[0], before, after):
                if not after:
                    self._pending = tag[0]
                    break
                earlier = [WasReasoning(max(0, known - len(before)))] if self._blank != 0 else []
                self.found = True
                return earlier + self._end(before[known:], after)
        self._pass(text, known)
        return [Content(text[known:])]

    def _after_tag(self, text: str) -> list[StreamEvent]:
        """What a piece is that follows a closing tag at the end of an event."""
        tag, self._pending = self._pending, ""
        if text[:1] in _AFTER:
            self._spoken_of.add(tag)
            return self._search(text)
        self.found = True
        return [WasReasoning(len(tag)), *self._end("", text)]

    def _is_plain(self, text: str) -> bool:
        """Whether a text in the middle of the content has nothing of a tag or of code, as nearly all have."""
        return not self._held and self._blank is None and _MARK.search(text) is None

    def _ends_reasoning(self, tag: str, before: str, after: str) -> bool:
        """Whether a tag ends reasoning whose opening tag stood in the prompt.

        `after`: what the same event says after it. If that is nothing, the next event decides.
        """
        if self._reasoning_outside or tag in self._spoken_of:
            return False
        in_code = self._in_code ^ (before.count("`") % 2 == 1)
        beside = (before[-1:] or self._before) in _BEFORE or after[:1] in _AFTER
        if tag in _PAIRS or in_code or beside:
            self._spoken_of.add(_PAIRS.get(tag, tag))
            return False
        return True

    def _pass(self, text: str, known: int) -> None:
        """Notes content without a tag that counts. Of the text, so many characters came before."""
        self._held = _first_part(text, _TAGS)
        passed = text.removesuffix(self._held)
        if passed:
            self._before = passed[-1]
            self._in_code ^= passed.count("`") % 2 == 1
        if self._blank is not None:
            self._blank = None if passed.strip() else self._blank + len(text) - known
        self._decided = self._blank is None and self._reasoning_outside

    def _think(self, text: str, closing: str) -> list[StreamEvent]:
        before, found, after = (self._held + text).partition(closing)
        if found:
            return self._end(before, after)
        self._closing, self._held = closing, _first_part(before, (closing,))
        return [Reasoning(before.removesuffix(self._held))]

    def _end(self, before: str, after: str) -> list[StreamEvent]:
        """The events around a closing tag. The line breaks after it belong to it, in whatever event they come."""
        after = after.lstrip("\r\n")
        self._closing, self._held, self._decided, self._just_ended = None, "", True, not after
        events: list[StreamEvent] = [Reasoning(before)] if before else []
        return [*events, Content(after)] if after else events or [Reasoning("")]


def _first_part(text: str, tags: Iterable[str]) -> str:
    """The end of a text that may be the first part of a tag; empty if there is none."""
    for first in _FIRST.finditer(text, max(0, len(text) - _LONGEST + 1)):
        end = text[first.start() :]
        if any(tag.startswith(end) for tag in tags):
            return end
    return ""
