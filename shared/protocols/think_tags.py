"""Tells reasoning from the answer where a model writes both into the content, with `<think>` tags around the first."""

from shared.protocols.events import Content, Other, Reasoning, StreamEvent, WasReasoning

_OPENINGS = ("<think>", "<thinking>")
_CLOSINGS = ("</think>", "</thinking>")


class ThinkTags:
    """Takes the content of one answer, event by event. Only an answer that begins with a tag has reasoning in it."""

    def __init__(self) -> None:
        # Whether the answer begins with reasoning between tags.
        self.found = False
        # The content so far, without the space before it, while it may still become a tag.
        self._start = ""
        # Whether any content came before this piece.
        self._said = False
        # What may be the first part of a closing tag.
        self._held = ""
        self._thinking = False
        self._decided = False

    def kind_of(self, text: str) -> type[Content] | type[Reasoning] | None:
        """What the next pieces of content are, all together. None if that depends on where they are cut."""
        if self._thinking:
            return None if self._held or "<" in text else Reasoning
        return Content if self._decided else None

    def events(self, text: str) -> list[StreamEvent]:
        """What the next piece of content is."""
        if self._thinking:
            return self._think(text)
        if self._decided:
            return [Content(text)]
        begun = self._start = (self._start + text).lstrip()
        opening = next((tag for tag in _OPENINGS if begun.startswith(tag)), None)
        if opening is not None:
            self._decided = self._thinking = self.found = True
            earlier: list[StreamEvent] = [WasReasoning()] if self._said else []
            return earlier + self._think(begun[len(opening) :])
        self._said = True
        self._decided = not any(tag.startswith(begun) for tag in _OPENINGS)
        # A piece of a tag may turn out to be one. Until then it counts as an answer, so that no token comes late.
        return [Content(text)]

    def _think(self, text: str) -> list[StreamEvent]:
        text, self._held = self._held + text, ""
        for tag in _CLOSINGS:
            before, found, after = text.partition(tag)
            if found:
                self._thinking = False
                events: list[StreamEvent] = [Reasoning(before)] if before else []
                after = after.lstrip("\n")
                return ([*events, Content(after)] if after else events) or [Other()]
        start = text.rfind("<")
        if start >= 0 and any(tag.startswith(text[start:]) for tag in _CLOSINGS):
            text, self._held = text[:start], text[start:]
        return [Reasoning(text)] if text else [Other()]
