"""What is put to a server: conversations, the odds of the next word, how likely a text is."""

from typing import Any

from arena.backends.base import Odds, OddsRequest, Reply, Request, TextOdds, TextRequest
from arena.backends.openai.messages import (
    GOES_ON,
    decoding,
    first_alternatives,
    odds_settings,
    opening,
    option_logprobs,
    text_odds,
    text_of,
)
from arena.backends.openai.running import Caller, LeftError
from arena.backends.thinking import split
from arena.records import Model
from arena.records.errors import BackendError, NoLikelihoodError, TransientError, UnavailableError

TOP_LOGPROBS = 20
TRYING_SECONDS = 0.05


async def hold(caller: Caller, request: Request) -> Reply:
    """All turns, and the follow-up, without which what was answered still stands."""
    if request.prefill:
        raise UnavailableError(_no_prefill(caller.model))
    messages = opening(caller.model, request)
    texts, thinking, finishes = [], [], []
    turns: list[str] = list(request.turns)
    for turn, text in enumerate(turns):
        messages.append({"role": "user", "content": text})
        try:
            asked = {"prompt": text} if request.plain else {"messages": messages}
            settings = decoding(caller.model, request.seed + turn, request.schema, request.stop)
            choice = await caller.complete(**asked, **settings)
        except BackendError:
            if turn < len(request.turns):
                raise
            break
        text, thought, finish = text_of(choice, request, caller.model.decoding.stop)
        texts.append(text)
        thinking.append(thought)
        finishes.append(finish)
        messages.append({"role": "assistant", "content": split(text).answer})
        if turn + 1 == len(request.turns) and request.follow_up:
            more = request.follow_up(text, finish)
            turns += [] if more is None else [more]
    return Reply(
        tuple(texts),
        tuple(finishes),
        caller.usage,
        tuple(caller.retried),
        tuple(thinking),
        caller.thought,
    )


async def read(caller: Caller, request: OddsRequest) -> Odds:
    """One token with its most likely alternatives, after a begun reply if it has one."""
    messages = [*opening(caller.model), {"role": "user", "content": request.text}]
    goes_on: dict[str, Any] = {}
    if request.prefill:
        messages.append({"role": "assistant", "content": request.prefill})
        if not await _continues(caller, messages):
            raise UnavailableError(
                f"{_no_prefill(caller.model)}; leave `prefill` out of the judge card"
            )
        goes_on = GOES_ON
    choice = await caller.complete(
        messages=messages,
        logprobs=True,
        top_logprobs=TOP_LOGPROBS,
        **odds_settings(caller.model),
        **goes_on,
    )
    logprobs = option_logprobs(first_alternatives(choice), request.options)
    if logprobs is not None:
        return Odds(logprobs, caller.usage, tuple(caller.retried))
    raise BackendError(
        f"{caller.model.name}: the server returned no log-probabilities that can be read; "
        "use a judge card with `reading: reasoned`"
    )


async def _continues(caller: Caller, messages: list[dict[str, str]]) -> bool:
    """Whether the server goes on from a begun reply: tried once, for servers pass over fields.

    One that goes on reads fewer tokens than where it ends the reply and begins another.
    """
    work, dialect = caller.work, caller.work.dialect
    while dialect.continues is None and work.trying:
        await caller.wait(TRYING_SECONDS)  # without a permit: who tries may need it
    if dialect.continues is not None:
        return dialect.continues
    work.trying, settings = True, odds_settings(caller.model)
    try:
        await caller.complete(messages=messages, **settings, **GOES_ON)
        first = caller.read
        await caller.complete(messages=messages, **settings)
        dialect.continues = 0 < first < caller.read - first
    except (TransientError, UnavailableError, LeftError):
        raise
    except BackendError:
        dialect.continues = False
    finally:
        work.trying = False
    return dialect.continues


async def score(caller: Caller, request: TextRequest) -> TextOdds:
    """How likely a text is, from its echo; raises NoLikelihoodError where that is not told."""
    if request.before:
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD} inside a conversation")
    try:
        # One token more is written, because some servers refuse to write none.
        choice = await caller.complete(
            prompt=request.context + request.text,
            max_tokens=1,
            temperature=0,
            logprobs=1,
            echo=True,
        )
    except (UnavailableError, BackendError) as error:
        if isinstance(error, TransientError) or caller.work.has_answered:
            raise
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD} ({error})") from error
    odds = text_odds(choice, request, usage=caller.usage, retried=tuple(caller.retried))
    if odds is None:
        raise NoLikelihoodError(f"{caller.model.name}: {_NO_LIKELIHOOD}")
    return odds


_NO_LIKELIHOOD = "this server does not tell how likely a given text is"


def _no_prefill(model: Model) -> str:
    return f"{model.name}: a server cannot go on from a begun reply"
