"""What is put to a server: conversations, the odds of the next word, how likely a text is."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp
from typing import Any

from arena.backends.base import (
    RATHER,
    UNLIKELY,
    Odds,
    OddsRequest,
    Reply,
    Request,
    TextOdds,
    TextRequest,
)
from arena.backends.openai.dialect import SettingRefusedError
from arena.backends.openai.messages import (
    GOES_ON,
    STREAMED,
    decoding,
    first_alternatives,
    forced_logprob,
    forcing,
    left_by,
    odds_settings,
    opening,
    option_logprobs,
    text_odds,
    text_of,
)
from arena.backends.openai.running import Caller, LeftError
from arena.backends.openai.template import written_here
from arena.backends.thinking import split
from arena.records.errors import BackendError, NoLikelihoodError, TransientError, UnavailableError

TOP_LOGPROBS = 20
LISTING = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
NEGLIGIBLE = 1e-4  # of a distribution: what words may hold that are not worth another call
ROUNDING = 1e-6  # of a log-probability
TRYING_SECONDS = 0.05


async def hold(caller: Caller, request: Request) -> Reply:
    """All turns, and the follow-up, without which what was answered still stands."""
    messages = opening(caller.model, request)
    texts, thinking, finishes = [], [], []
    turns: list[str] = list(request.turns)
    for turn, text in enumerate(turns):
        messages.append({"role": "user", "content": text})
        is_last = turn + 1 == len(request.turns)
        due = request if is_last else replace(request, prefill="")
        try:
            choice = await caller.complete(**await _asked(caller, due, messages, turn))
        except BackendError:
            if turn < len(request.turns):
                raise
            break
        text, thought, finish = text_of(choice, due, caller.model.decoding.stop)
        texts.append(text)
        thinking.append(thought)
        finishes.append(finish)
        messages.append({"role": "assistant", "content": split(text).answer})
        if is_last and request.follow_up:
            more = request.follow_up(text, finish)
            turns += [] if more is None else [more]
    return Reply(
        tuple(texts),
        tuple(finishes),
        caller.usage,
        tuple(caller.retried),
        tuple(thinking),
        caller.thought,
        caller.first_token,
        tuple(caller.adjustments.items()),
    )


async def _asked(
    caller: Caller, request: Request, messages: list[dict[str, str]], turn: int
) -> dict[str, Any]:
    """What is asked for one turn, which ends the messages; the first is streamed to be timed."""
    settings = decoding(caller.model, request.seed + turn, request.schema, request.stop)
    if request.plain:
        return {"prompt": messages[-1]["content"], **settings}
    begun = await _begun(caller, list(messages), request.prefill)
    return begun | settings | (STREAMED if request.timed and not turn else {})


async def read(caller: Caller, request: OddsRequest) -> Odds:
    """One token with its most likely alternatives, after a begun reply if it has one.

    Words that are not among them are asked for one by one, where the server tells of each.
    """
    messages = [*opening(caller.model), {"role": "user", "content": request.text}]
    asked = await _begun(caller, messages, request.prefill) | odds_settings(caller.model)
    listing = {"logprobs": TOP_LOGPROBS} if "prompt" in asked else LISTING
    choice = await caller.complete(**asked, **listing)
    listed = first_alternatives(choice)
    if listed and left_by(listed) > NEGLIGIBLE:
        listed += await _forced(caller, asked, listed, request.options)
    logprobs = option_logprobs(listed, request.options)
    if logprobs is not None:
        adjustments = tuple(caller.adjustments.items())
        found = Odds(logprobs, caller.usage, tuple(caller.retried), adjustments)
        if found.mass >= UNLIKELY:
            return found
        likeliest = sorted(listed, key=lambda one: -one[1])[:RATHER]
        return replace(found, rather=tuple((word, exp(value)) for word, value in likeliest))
    raise BackendError(
        f"{caller.model.name}: the server returned no log-probabilities that can be read; "
        "use a judge card with `reading: reasoned`"
    )


async def _forced(
    caller: Caller,
    asked: dict[str, Any],
    listed: Sequence[tuple[str, float]],
    options: Sequence[str],
) -> list[tuple[str, float]]:
    """The odds of the options that are not listed, with and without a space before them.

    Each is asked for as the only reply: the server may tell how likely it was before that. One
    that does not, or tells how likely it is among what was allowed, is not asked again.
    """
    dialect, known = caller.work.dialect, {word.strip() for word, _ in listed}
    most = min(value for _, value in listed) + ROUNDING
    missing = [option for option in options if option not in known]
    settings = {"logprobs": 1} if "prompt" in asked else LISTING | {"top_logprobs": 1}
    found = []
    for word in [*missing, *(f" {option}" for option in missing)]:
        if dialect.forces is False or (dialect.forces is None and word not in missing):
            break
        try:
            token = await caller.token_of(word)
            choice = await caller.complete(**asked, **settings, **forcing(word, token))
        except BackendError as error:
            if not _refuses(error):
                raise
            dialect.forces = False
            break
        logprob = forced_logprob(choice, word, most)
        dialect.forces = dialect.forces or logprob is not None
        found += [] if logprob is None else [(word, logprob)]
    return found


def _refuses(error: BackendError) -> bool:
    """Whether a server does not take what it was asked; some break at what they do not know."""
    if isinstance(error, TransientError):
        return error.kind == "server error"
    return not isinstance(error, UnavailableError | LeftError)


async def _begun(caller: Caller, messages: list[dict[str, str]], prefill: str) -> dict[str, Any]:
    """What is asked so that the reply goes on from `prefill`: messages, or else a text.

    The text is what the model's chat template makes of them here, where its tokenizer is at hand.
    """
    if not prefill:
        return {"messages": messages}
    begun = [*messages, {"role": "assistant", "content": prefill}]
    if await _continues(caller, begun):
        return {"messages": begun, **GOES_ON}
    tokens = written_here(caller.model, messages, prefill)
    caller.adjustments["messages"] = "prompt"
    return {"prompt": tokens}


async def _continues(caller: Caller, messages: list[dict[str, str]]) -> bool:
    """Whether the server goes on from a begun reply: tried once, for servers pass over fields."""
    work, dialect = caller.work, caller.work.dialect
    while dialect.continues is None and work.trying:
        await caller.wait(TRYING_SECONDS)  # without a permit: who tries may need it
    if dialect.continues is not None:
        return dialect.continues
    work.trying = True
    try:
        dialect.continues = await _tried(caller, messages)
    except (TransientError, UnavailableError, LeftError):
        raise
    except BackendError:
        dialect.continues = False
    finally:
        work.trying = False
    return dialect.continues


async def _tried(caller: Caller, messages: list[dict[str, str]]) -> bool:
    """Whether the server knows the fields by which a reply goes on.

    One that does refuses them where they contradict each other, or reads fewer tokens than
    where it ends the reply and begins another.
    """
    settings, start = odds_settings(caller.model), caller.read
    await caller.complete(messages=messages, **settings, **GOES_ON)
    goes_on = caller.read - start
    try:
        both = dict.fromkeys(GOES_ON, True)
        await caller.complete(messages=messages, **settings, **both)
    except SettingRefusedError:
        return True
    except TransientError as error:
        if not _refuses(error):
            raise
    before = caller.read
    await caller.complete(messages=messages, **settings)
    return 0 < goes_on < caller.read - before


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
