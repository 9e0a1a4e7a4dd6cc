"""One conversation of a batch, as far as it has come."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from arena.backends.base import Message, Reply, Request
from arena.backends.thinking import split
from arena.records import Usage
from arena.records.errors import BackendError


@dataclass
class Turns:
    """A request's conversation: turns are put one by one, each answered before the next."""

    request: Request
    messages: list[Message] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    finishes: list[str] = field(default_factory=list)
    read: int = 0
    written: int = 0
    thought: int = 0
    ended: bool = False
    error: BackendError | None = None

    @classmethod
    def of(cls, request: Request) -> "Turns":
        """A conversation of which no turn was put yet."""
        return cls(request, list(request.before))

    @property
    def prefill(self) -> str:
        """How the reply that is due begins: that of the last turn may."""
        is_last = len(self.texts) + 1 == len(self.request.turns)
        return self.request.prefill if is_last else ""

    @property
    def is_followed_up(self) -> bool:
        """Whether the reply that is due is one more than the request has turns."""
        return len(self.finishes) >= len(self.request.turns)

    def put_next(self) -> bool:
        """Put the next turn, or the follow-up after the last; False where there is none."""
        turns, follow_up, done = self.request.turns, self.request.follow_up, len(self.finishes)
        text = None
        if self.ended:
            return False
        if done < len(turns):
            text = turns[done]
        elif done == len(turns) and follow_up:
            text = follow_up(self.texts[-1], self.finishes[-1])
        self.ended = text is None
        if text is not None:
            self.messages.append(Message("user", text))
        return not self.ended

    def answered(self, text: str, finish: str, read: int, written: int, thought: int) -> None:
        """Take what the model said to the last turn, and the tokens read, written and thought."""
        self.thought += thought
        self.messages.append(Message("assistant", split(text).answer))
        self.texts.append(text)
        self.finishes.append(finish)
        self.read += read
        self.written += written

    def fail(self, error: BackendError) -> None:
        """A follow-up that does not fit leaves the answers before it as they are."""
        self.ended = True
        if len(self.finishes) < len(self.request.turns):
            self.error = error

    def result(self, seconds: float) -> Reply | BackendError:
        """The reply, which took so long."""
        if self.error:
            return self.error
        usage = Usage(self.read, self.written, seconds)
        texts, finishes = tuple(self.texts), tuple(self.finishes)
        return Reply(texts, finishes, usage, thinking_tokens=self.thought)


def worth(talks: Sequence[Turns], rows: float) -> tuple[float, int]:
    """How many conversations what was said is worth, and how many are asked once more now.

    rows: what is written of the replies that are under way, in replies.
    """
    again = [t for t in talks if not t.ended and t.is_followed_up]
    done = sum(len(talk.finishes) for talk in talks)
    turns = sum(max(len(t.request.turns), len(t.finishes)) for t in talks) + len(again)
    return (done + rows) / turns * len(talks), len(again)
