"""A reply as it is written, text by text."""

import time
from collections.abc import Iterator

from arena.backends.base import Reply, cut_at
from arena.backends.local.chat import Chat
from arena.backends.local.writing.rows import Begun
from arena.backends.local.writing.writer import Writer, Writing
from arena.records import Usage

HALF = "\ufffd"  # stands for a letter of which some bytes are still to come


def streamed(writer: Writer, chat: Chat, begun: Begun, how: Writing) -> Iterator[Reply]:
    """Replies that grow; the last one has its finish and usage."""
    started, written, text = time.perf_counter(), list[int](), chat.opening
    ends = writer.ends(how.stop)
    for token in writer.stream(begun, how):
        written.append(token)
        longer = chat.opening + chat.said(written)
        if longer != text and not longer.endswith(HALF):
            text = longer
            yield Reply((cut_at(text, how.stop).lstrip(),), ("",))
    text = chat.opening + chat.said(written)
    said = cut_at(text, how.stop)
    ended = bool(written) and written[-1] in ends
    usage = Usage(len(begun.tokens), len(written), time.perf_counter() - started)
    yield Reply((said.strip(),), ("stop" if ended or said != text else "length",), usage)
