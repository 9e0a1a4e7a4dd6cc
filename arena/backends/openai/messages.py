"""The JSON of chat completions: what is sent, and what comes back."""

import json
import re
from collections.abc import Sequence
from itertools import accumulate
from math import exp, inf, log
from typing import Any

from arena.backends.base import (
    Request,
    TextOdds,
    TextRequest,
    as_json,
    cut_at,
    whole_characters,
    with_system,
)
from arena.backends.thinking import split
from arena.records import Model, Usage

# OpenAI's own newer models refuse the older name, which is the only one that others know.
LENGTH = ("max_tokens", "max_completion_tokens")
DEFAULTS = {"temperature": 1.0, "top_p": 1.0}
CHOSEN = ("top_k", "min_p", "repetition_penalty", "reasoning_effort", "chat_template_kwargs")
BUDGETS = ("thinking_token_budget", "thinking_budget_tokens")
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
# More than any tokenizer in use makes of a text: the bound that a budget reserves by.
TOKENS_PER_BYTE = 0.5
TOKENS_OF_FRAME = 16
MOST_STOPS = 4
LEAST_LEFT = 1e-9  # of a distribution: what rounding may hide behind a list that sums to 1
MOST_TOKENS = 10**12  # in one call; what a server says beyond is no count

REFUSED, FILTERED = "refusal", "content_filter"
# OpenAI's and Azure's word; Gemini's; Zhipu's.
_FILTERS = {"content_filter", "safety", "prohibited_content", "recitation", "sensitive"}
_TOKEN_ID = re.compile(r"token_id:[0-9]+")
_ALTERNATIVES = ("top_logprobs", "top_probs", "probs")
_SPACES = "Ġ▁ \t\r\n"  # how tokenizers show the space before a word


def opening(model: Model, request: Request | None = None) -> list[dict[str, str]]:
    """The messages before the first turn."""
    return as_json(with_system(request.before if request else (), model.decoding.system))


def decoding(
    model: Model, seed: int, schema: dict[str, Any] | None = None, stop: Sequence[str] = ()
) -> dict[str, Any]:
    """The settings of a completion beside its messages; servers take at most four stops."""
    wanted = model.decoding
    settings: dict[str, Any] = {
        "temperature": wanted.temperature,
        "top_p": wanted.top_p,
        LENGTH[model.base_url is None]: wanted.room,
        "seed": seed % 2**31,
    }
    if model.base_url is None:  # OpenAI's own reasoning models refuse even the default by name
        settings = {name: value for name, value in settings.items() if value != DEFAULTS.get(name)}
    settings |= _chosen(model)
    if stops := [*wanted.stop, *stop]:
        settings["stop"] = stops[:MOST_STOPS]
    if schema is not None:
        named = {"name": "verdict", "schema": schema, "strict": True}
        settings["response_format"] = {"type": "json_schema", "json_schema": named}
    return settings


def _chosen(model: Model) -> dict[str, Any]:
    """The settings that a server is only sent where the user chose them.

    The budget of thinking has two names: vLLM's and llama.cpp's.
    """
    wanted = model.decoding
    values = {name: getattr(wanted, name) for name in CHOSEN[:-1]}
    values |= {CHOSEN[-1]: wanted.template_settings or None}
    values |= dict.fromkeys(BUDGETS, wanted.thinking_budget)
    found = {name: value for name, value in values.items() if value is not None}
    extra: dict[str, Any] = json.loads(_extra(model))
    return found | extra


def odds_settings(model: Model) -> dict[str, Any]:
    """The settings of a request whose first word's odds are read: those that shape the prompt."""
    shaping = ("reasoning_effort", "chat_template_kwargs", *json.loads(_extra(model)))
    found = {name: value for name, value in _chosen(model).items() if name in shaping}
    return {"temperature": 0, "max_tokens": 1, **found}


def _extra(model: Model) -> str:
    return model.decoding.extra_body or "{}"


# With these vLLM and SGLang go on from the last message, which is a begun reply.
GOES_ON = {"continue_final_message": True, "add_generation_prompt": False}


def body_of(model: Model, request: Request) -> dict[str, Any]:
    """The whole body for a request of one turn."""
    messages = [*opening(model, request), {"role": "user", "content": request.turns[0]}]
    settings = decoding(model, request.seed, request.schema, request.stop)
    return {"model": model.asked_as, "messages": messages, **settings}


def worst_case(body: dict[str, Any]) -> Usage:
    """What a call can take at most, without counting in its tokenizer."""
    written = next(body[name] for name in LENGTH if name in body)
    if isinstance(tokens := body.get("prompt", ""), list):
        return Usage(len(tokens), written)
    texts = [tokens, *(message["content"] for message in body.get("messages", ()))]
    text = sum(len(text.encode()) for text in texts)
    return Usage(int(text * TOKENS_PER_BYTE) + TOKENS_OF_FRAME, written)


def text_of(
    choice: dict[str, Any], request: Request, stop: Sequence[str] = ()
) -> tuple[str, str, str]:
    """The text of a choice, the thinking that the server tells apart, and why it ended."""
    said, thinking = said_in(choice["message"]) if "message" in choice else (choice["text"], "")
    finish = finish_of(choice) or "stop"
    if not said and (refusal := refusal_in(choice.get("message"))):
        said, finish = refusal, REFUSED
    if request.prefill:  # llama.cpp says it once more
        said = said.removeprefix(request.prefill)
    text = cut_at(storable(said), (*stop, *request.stop))
    text = text if request.verbatim else text.strip()
    return text, storable(thinking).strip(), finish


def finish_of(choice: dict[str, Any]) -> str:
    """Why a reply ended, in one spelling for what a filter stopped; empty while it goes on."""
    finish = choice.get("finish_reason")
    if not isinstance(finish, str):
        return ""
    return FILTERED if finish.casefold() in _FILTERS else finish


def refusal_in(message: object) -> str:
    """What a message, or a piece of one, says in place of an answer; empty where it answers."""
    refusal = message.get("refusal") if isinstance(message, dict) else None
    return refusal if isinstance(refusal, str) else ""


def said_in(message: dict[str, Any]) -> tuple[str, str]:
    """What a message, or a piece of one, says and thinks: text, null, or a list of parts.

    Servers put the thinking in `reasoning_content` (DeepSeek, vLLM, SGLang), in `reasoning`
    (OpenRouter, Ollama), or in parts of the content (Mistral).
    """
    fields = (message.get(name) for name in ("reasoning_content", "reasoning"))
    thinking = next((field for field in fields if isinstance(field, str) and field), "")
    content = message.get("content")
    if not isinstance(content, list):
        return content or "", thinking
    said = "".join(_part(part, "text") for part in content)
    return said, thinking + "".join(_part(part, "thinking") for part in content)


def _part(part: object, kind: str) -> str:
    """The text of a part of this kind; a part of thinking is text, or has parts of text."""
    match part:
        case str() if kind == "text":
            return part
        case {"type": name, **fields} if name == kind:
            inner = fields.get(kind)
            if isinstance(inner, list):
                return "".join(_part(each, "text") for each in inner)
            return inner if isinstance(inner, str) else ""
    return ""


def is_message(message: object) -> bool:
    """Whether a message can be read: it says something in a known form, or thinks."""
    if not isinstance(message, dict):
        return False
    content = message.get("content")
    known = "content" in message or any(said_in(message)) or refusal_in(message)
    return bool(known) and (content is None or isinstance(content, str | list))


def storable(text: str) -> str:
    """A text as UTF-8 can hold it: half a character ends it, or becomes a `?` within it."""
    return whole_characters(text).encode(errors="replace").decode()


def text_odds(choice: dict[str, Any], request: TextRequest, **others: Any) -> TextOdds | None:
    """How likely the server found the tokens of a text that it echoed; None if it does not say.

    Places are counted from the tokens themselves: what servers call `text_offset` counts the
    mark of a document's start, or each part of a character, where they show such tokens. None
    as well where the tokens do not add up to the text. A token that begins in the context and
    ends in the text is the text's. A token is the likeliest one where no alternative that the
    server lists is likelier.
    """
    match choice.get("logprobs"):
        case {"tokens": [*tokens], "token_logprobs": [*values], "top_logprobs": [*tops]}:
            start, end = len(request.context), len(request.context) + len(request.text)
            shown = [str(token) for token in tokens]
            before = "".join(shown).find(request.context + request.text)
            places = list(accumulate(map(len, shown), initial=-before))
            own = [
                (_logprob(value), top)
                for at, until, value, top in zip(places, places[1:], values, tops, strict=False)
                if at < end and (at >= start or until > start) and value is not None
            ]
            if before >= 0 and own:
                return _sum_of(own, others)
    return None


def _sum_of(own: Sequence[tuple[float | None, object]], others: dict[str, Any]) -> TextOdds | None:
    """The odds of all tokens together; None where one of them cannot be read."""
    total, greedy = 0.0, True
    for value, top in own:
        others_in_place = [*map(_logprob, top.values())] if isinstance(top, dict) else [None]
        known = [one for one in others_in_place if one is not None]
        if value is None or len(known) < len(others_in_place):
            return None
        total += value
        greedy = greedy and value >= max(known, default=value)
    return TextOdds(total, greedy, len(own), **others)


def _logprob(said: object) -> float | None:
    """A logarithm of a probability; None for what cannot be one, as NaN or a text."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not said < 1:
        return None
    return min(0.0, float(said))


def usage_of(reply: dict[str, Any]) -> Usage:
    """The tokens that the server counted; it may leave any of it out."""
    found = reply.get("usage")
    counts = found if isinstance(found, dict) else {}
    return Usage(*(_count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens")))


def thinking_tokens_of(reply: dict[str, Any]) -> int | None:
    """How many of the tokens written are of thinking; None where the server does not say.

    One that counts none though it shows some does not count them.
    """
    match reply:
        case {
            "usage": {"completion_tokens_details": {"reasoning_tokens": int(count)}},
            "choices": [{"message": dict(message)}, *_],
        } if 0 <= count < MOST_TOKENS:
            said, thinking = said_in(message)
            return count if count or not (thinking or split(said).thinking) else None
    return None


def _count(said: object) -> int:
    """A number of tokens; 0 for what cannot be one."""
    return said if isinstance(said, int) and 0 <= said < MOST_TOKENS else 0


def first_alternatives(choice: dict[str, Any]) -> list[tuple[str, float]]:
    """The likeliest first words of a reply and their log-probabilities; empty if it has none.

    As OpenAI has them, and vLLM, SGLang and LMDeploy with it; as the older completions do, which
    Together and others keep for chat; as a bare list (Ollama); or as llama.cpp's own fields do.
    """
    match choice.get("logprobs"):
        case {"content": [dict(first), *_]} | [dict(first), *_]:
            return _listed(first)
        case {"top_logprobs": [dict(listed), *_]}:
            return _listed({"top_logprobs": listed})
    match choice.get("completion_probabilities"):
        case [dict(first), *_]:
            return _listed(first)
    return []


def _listed(first: dict[str, Any]) -> list[tuple[str, float]]:
    """The alternatives to one word: a list of them, or their values by word."""
    listed: Any = next((first[key] for key in _ALTERNATIVES if first.get(key)), [])
    if isinstance(listed, dict):
        listed = [{"token": word, "logprob": value} for word, value in listed.items()]
    if not isinstance(listed, list):
        return []
    return [found for one in listed if (found := _alternative(_spelled(one)))]


def _spelled(one: object) -> object:
    """An alternative in OpenAI's words; llama.cpp has probabilities under names of its own."""
    match one:
        case {"prob": float() | int() as share} if share > 0:
            word = one.get("token", one.get("tok_str"))  # type: ignore[attr-defined]
            return {"token": word, "logprob": log(share)}
    return one


def _alternative(listed: object) -> tuple[str, float] | None:
    """A word, with a space where it has one before it; None for what is no word, as a number."""
    match listed:
        case {"token": str(word), "logprob": float() | int() as value} if value < 1:
            if _TOKEN_ID.fullmatch(word):
                return None
            match listed.get("bytes"):  # type: ignore[attr-defined]
                case [*codes] if codes and all(type(c) is int and 0 <= c < 256 for c in codes):
                    word = bytes(codes).decode(errors="replace")
            kept = word.lstrip(_SPACES)
            return (f" {kept}" if kept != word else kept).rstrip(), min(0.0, value)
    return None


def left_by(listed: Sequence[tuple[str, float]]) -> float:
    """The share of the distribution that the words not listed hold together."""
    return max(1 - sum(exp(value) for _, value in listed), LEAST_LEFT)


def forcing(word: str, token: int | None) -> dict[str, Any]:
    """Fields that make a word the only reply: llama.cpp's, and vLLM's, which takes its token.

    vLLM's structured outputs would do, too, but then it tells the odds among what they allow.
    """
    fields: dict[str, Any] = {"grammar": f"root ::= {json.dumps(word)}"}
    return fields | ({} if token is None else {"allowed_token_ids": [token]})


def forced_logprob(choice: dict[str, Any], word: str, most: float) -> float | None:
    """The log-probability of a word that the reply was forced to; None where that is not told.

    most: what it can be at most. A server that tells the odds among what it allows tells more.
    """
    match choice.get("logprobs"):
        case {"content": [{"token": _, "logprob": _} as said, *_]}:
            found = _alternative(said)
        case {"tokens": [str(token), *_], "token_logprobs": [value, *_]}:
            found = _alternative({"token": token, "logprob": value})
        case _:
            return None
    return found[1] if found and found[0] == word and found[1] <= most else None


def option_logprobs(
    listed: Sequence[tuple[str, float]], options: Sequence[str]
) -> tuple[float, ...] | None:
    """The probability of each option: all alternatives that are it but for space around it.

    A server lists only the likeliest words; an option that it leaves out is at most as likely
    as the last one listed, and all of these together as what the list leaves over: that bound
    stands for it. Where no option is listed nothing is known of them, and they have no mass.
    None where nothing is listed.
    """
    if not listed:
        return None
    mass = dict.fromkeys(options, 0.0)
    for word, value in listed:
        if word.strip() in mass:
            mass[word.strip()] += exp(value)
    missing = sum(value == 0 for value in mass.values())
    if missing == len(mass):
        return (-inf,) * len(options)
    bound = min(min(value for _, value in listed), log(left_by(listed) / max(missing, 1)))
    return tuple(log(mass[option]) if mass[option] > 0 else bound for option in options)
