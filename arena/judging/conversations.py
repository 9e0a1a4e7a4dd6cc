"""What is put to a reward model: conversations that end with an answer, as one text.

The text is JSON, so that it can be shown, counted and digested as a judge prompt is; the chat
template of the model writes it out for it.
"""

import json
from collections.abc import Sequence

from arena.backends import Message, RewardRequest
from arena.records import Prompt


def conversations(prompt: Prompt, answers: Sequence[Sequence[str]]) -> str:
    """A prompt's conversation with each of these answers, each a text a turn."""
    return json.dumps([_talk(prompt, answer) for answer in answers], ensure_ascii=False)


def reward_request(text: str) -> RewardRequest:
    """What `conversations` made, as a backend is asked it."""
    return RewardRequest(
        tuple(tuple(Message(*message) for message in talk) for talk in json.loads(text))
    )


def _talk(prompt: Prompt, answer: Sequence[str]) -> list[tuple[str, str]]:
    """Who said what, in turn; it ends with the answer's last turn."""
    turns = zip(prompt.turns, answer, strict=False)
    return [
        said for asked, answered in turns for said in (("user", asked), ("assistant", answered))
    ]
