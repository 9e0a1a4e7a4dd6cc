"""Models as they are named on a command line, and as entries of arena.yaml and of judge cards."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from arena.files.strict import SECRET, Short, Strict
from arena.records import BackendKind, Decoding, Model, Persona
from arena.records.errors import InputError, UnknownNameError
from arena.records.names import tidy

EMBEDDED = "smollm2"
MODEL_FORMS = (
    f"{EMBEDDED} (embedded), hf:ORG/NAME, a local folder or .gguf file, vllm:ORG/NAME, "
    "openai:NAME[@URL], fake:echo, or NAME=one of these"
)
_NAME = re.compile(r"[\w][\w.+-]{0,79}")  # on a command line, where a path must not be one
MOST_LETTERS = 120  # of a name in a file
_RESERVED = frozenset(",=@")  # between names on a command line, and before a version
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_EFFORT = re.compile(r"[A-Za-z]+")
# What a request has keys of its own for, or what the arena itself decides.
_NOT_EXTRA = {
    **dict.fromkeys(("model", "messages", "prompt", "stream", "stream_options", "n"), ""),
    **{name: name for name in ("temperature", "top_p", "top_k", "min_p", "stop", "seed")},
    **{name: name for name in ("repetition_penalty", "reasoning_effort", "chat_template_kwargs")},
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), "max_tokens"),
    **dict.fromkeys(("thinking_token_budget", "thinking_budget_tokens"), "thinking"),
    **dict.fromkeys(("logprobs", "top_logprobs", "echo", "response_format"), ""),
}

# Arguments of what applies a template, and what it is given to write.
_NOT_A_TEMPLATES = frozenset(
    {
        *("messages", "conversation", "tokenize", "add_generation_prompt"),
        *("continue_final_message", "return_dict", "return_tensors", "chat_template", "padding"),
        *("truncation", "max_length", "sanitize_control_tokens", "tokenizer_kwargs"),
        "return_assistant_tokens_mask",
    }
)


class DecodingSettings(Strict):
    """How a model writes; the ranges are those of `records.Decoding`.

    thinking: on, off, or the tokens that it may have at most. chat_template_kwargs: what the
    chat template is given beside the messages.
    """

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] = 512
    system: str | None = None
    seed: int = 0
    top_k: Annotated[int, Field(ge=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0)] | None = None
    stop: list[str] = []
    reasoning_effort: str | None = None
    thinking: bool | int | None = None
    max_thinking_tokens: Annotated[int, Field(ge=1)] | None = None
    chat_template_kwargs: dict[str, Any] = {}
    extra_body: dict[str, Any] = {}

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_several(cls, stop: Any) -> Any:
        found = [stop] if isinstance(stop, str) else stop
        if isinstance(found, list) and "" in found:
            raise ValueError("a text at which to stop must not be empty")
        return found

    @field_validator("reasoning_effort")
    @classmethod
    def _is_a_word(cls, effort: str | None) -> str | None:
        if effort is not None and not _EFFORT.fullmatch(effort):
            raise ValueError("must be one word that the model knows, such as low, medium or high")
        return effort

    @field_validator("thinking", mode="before")
    @classmethod
    def _is_a_switch_or_a_budget(cls, thinking: Any) -> Any:
        switch = {"on": True, "off": False}
        if isinstance(thinking, str) and thinking in switch:
            return switch[thinking]
        if isinstance(thinking, bool) or (isinstance(thinking, int) and thinking > 0):
            return thinking
        raise ValueError("must be on, off, or a number of tokens of at least 1")

    @field_validator("chat_template_kwargs")
    @classmethod
    def _are_the_templates_own(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if taken := [name for name in settings if name in _NOT_A_TEMPLATES]:
            raise ValueError(f"{taken[0]!r} cannot be given here: the arena decides it")
        return settings

    @field_validator("extra_body")
    @classmethod
    def _has_no_other_place(cls, extra: dict[str, Any]) -> dict[str, Any]:
        for name in extra:
            if name in _NOT_EXTRA:
                own = _NOT_EXTRA[name]
                way = f"it is set by the key {own!r}" if own else "the arena decides it"
                raise ValueError(f"{name!r} cannot be given here: {way}")
        return extra

    def decoding(self) -> Decoding:
        """The record."""
        plain = ("temperature", "top_p", "max_tokens", "system", "seed", "top_k", "min_p")
        more = ("repetition_penalty", "reasoning_effort", "max_thinking_tokens")
        is_budget = isinstance(self.thinking, int) and not isinstance(self.thinking, bool)
        return Decoding(
            **{name: getattr(self, name) for name in (*plain, *more)},
            stop=tuple(self.stop),
            thinking=None if self.thinking is None else bool(self.thinking),
            thinking_budget=self.thinking if is_budget else None,
            chat_template_kwargs=_as_text(self.chat_template_kwargs),
            extra_body=_as_text(self.extra_body),
        )


def _as_text(settings: dict[str, Any]) -> str:
    """JSON in one spelling, empty where there is nothing; raises InputError for other values."""
    try:
        return json.dumps(settings, ensure_ascii=False, sort_keys=True) if settings else ""
    except TypeError as error:
        raise InputError("holds a value that JSON has not, such as a date; quote it") from error


class PriceSettings(Strict):
    """US dollars for a million tokens, read and written."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class ModelSettings(Short, DecodingSettings):
    """One entry under `models:`; `use` is what would be written on a command line.

    extra_headers: of each request to a server; each value names a variable of the environment,
    as ${NAME}. released: the day, month or year, as it is to be shown. tokenizer: of a model on a
    server: smollm2, hf:ORG/NAME, a folder or a .gguf file. gpus: graphics cards of one machine that
    the model takes together. adapter: LoRA on top of the weights: hf:ORG/NAME, where @REVISION may
    follow, or a folder.
    """

    ALONE = "use"
    use: str
    adapter: str | None = None
    revision: str | None = None
    context_length: Annotated[int, Field(ge=1)] | None = None
    family: str | None = None
    organization: str | None = None
    license: str | None = None
    released: str | None = None
    base: bool = False
    base_url: str | None = None
    api_key_env: str | None = None
    extra_headers: dict[str, str] = {}
    timeout: Annotated[float, Field(gt=0)] = 120.0
    price: PriceSettings | None = None
    tokenizer: str | None = None
    gpus: Annotated[int, Field(ge=1)] = 1

    @field_validator("use")
    @classmethod
    def _is_one_of_the_forms(cls, use: str) -> str:
        try:
            _reach(use)
        except InputError as error:
            raise ValueError(str(error)) from error
        return use

    @field_validator("released", mode="before")
    @classmethod
    def _is_a_date(cls, released: Any) -> Any:
        """YAML reads 2025-04-29 as a date and 2025 as a number."""
        text = released if released is None else str(released)
        if text is not None and not re.fullmatch(r"\d{4}(-\d{2}){0,2}", text):
            raise ValueError("must be a day, a month or a year, such as 2025-04-29 or 2025-04")
        return text

    @field_validator("extra_headers")
    @classmethod
    def _come_from_the_environment(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if not _VARIABLE.fullmatch(value):
                raise PydanticCustomError(
                    SECRET,
                    f"the value of {name} must name a variable of the environment, such as "
                    "${MY_VARIABLE}; values themselves are never written here",
                )
        return headers

    def model(self, name: str | None = None) -> Model:
        """The record, under that name or the one that `use` implies."""
        record = parse_model(self.use)
        if name is not None:
            record = replace(record, name=_own_name(name))
        self._check(record)
        reach = {"use", "adapter", "base_url", "price", "extra_headers", "tokenizer"}
        own = self.model_dump(exclude={*reach, *DecodingSettings.model_fields})
        url = record.base_url if self.base_url is None else _checked_url(self.base_url)
        fields = {f: getattr(record, f) for f in ("name", "backend", "weights")}
        price = (self.price.input, self.price.output) if self.price else None
        headers = tuple((name, value[2:-1]) for name, value in self.extra_headers.items())
        return Model(
            **fields,
            decoding=self.decoding(),
            base_url=url,
            price=price,
            extra_headers=headers,
            tokenizer=self.tokenizer and _tokenizer(self.tokenizer),
            adapter=self.adapter and _adapter(self.adapter),
            **own,
        )

    def _check(self, record: Model) -> None:
        """Raise InputError for settings that this kind of model has no use for."""
        if record.backend is not BackendKind.OPENAI:
            for name in ("extra_body", "extra_headers", "tokenizer"):
                if getattr(self, name):
                    raise InputError(
                        f"{record.name}: {name} is for models on a server (use: openai:NAME), and "
                        f"this one is {self.use}"
                    )
        elif self.gpus > 1:
            raise InputError(
                f"{record.name}: gpus is for models that run here or on a cluster, and this one is "
                f"{self.use}"
            )
        if self.adapter and record.backend not in (BackendKind.LOCAL, BackendKind.VLLM):
            raise InputError(
                f"{record.name}: adapter is for weights that are loaded here, and this one is "
                f"{self.use}; a server has adapters of its own, under names of their own"
            )
        if self.thinking is False and self.max_thinking_tokens:
            raise InputError(
                f"{record.name}: max_thinking_tokens is room for thinking, which `thinking: off` "
                "turns off; give one of them"
            )


def _own_name(name: str) -> str:
    """The name that a model is given in a file, such as ORG/NAME."""
    if tidy(name) != name or not 0 < len(name) <= MOST_LETTERS or set(name) & _RESERVED:
        raise InputError(
            f"{name!r} is no name for a model; a name has up to {MOST_LETTERS} characters, no "
            f"blank at its ends or beside another, and none of {' '.join(sorted(_RESERVED))}"
        )
    return name


def parse_model(text: str) -> Model:
    """Read a model as it is written: `smollm2`, `hf:ORG/NAME`, a path, `NAME=…` and so on."""
    name, given, use = text.partition("=")
    if not given or not _NAME.fullmatch(name):
        name, use = "", text
    backend, weights, url = _reach(use)
    return Model(
        name=name or _NAME.findall(weights.rstrip("/").removesuffix(".gguf").split("/")[-1])[0],
        backend=backend,
        weights=weights,
        base_url=url,
        family="SmolLM2" if weights == EMBEDDED else None,
        license="Apache-2.0" if weights == EMBEDDED else None,
    )


def _reach(use: str) -> tuple[BackendKind, str, str | None]:
    scheme, colon, rest = use.partition(":")
    if use == EMBEDDED:
        return BackendKind.LOCAL, EMBEDDED, None
    if colon and rest and scheme == "hf":
        return BackendKind.LOCAL, rest, None
    if colon and rest and scheme == "vllm":
        return BackendKind.VLLM, os.path.expanduser(rest), None
    if colon and rest and scheme == "openai":
        weights, _, url = rest.partition("@")
        return BackendKind.OPENAI, weights, _checked_url(url) if url else None
    if colon and rest and scheme == "fake":
        _check_fake(rest)
        return BackendKind.FAKE, rest, None
    if use.endswith(".gguf") or use.startswith((".", "/", "~")) or Path(use).is_dir():
        return BackendKind.LOCAL, os.path.expanduser(use), None
    raise InputError(f"model {use!r} is neither in arena.yaml nor one of: {MODEL_FORMS}")


def _check_fake(rest: str) -> None:
    name, at, pace = rest.partition("@")
    if name not in list(Persona):
        raise UnknownNameError("fake model", name, [one.value for one in Persona])
    if at and not re.fullmatch(r"\d+(\.\d+)?|\.\d+", pace):
        raise InputError(
            f"fake:{rest}: after the @ stand the seconds of a reply, as in fake:echo@0.5"
        )


def _tokenizer(use: str) -> str:
    backend, weights, _ = _reach(use)
    if backend is not BackendKind.LOCAL:
        forms = f"{EMBEDDED}, hf:ORG/NAME, a folder or a .gguf file"
        raise InputError(f"tokenizer {use!r} is none that can be read here; it is one of: {forms}")
    return weights


def _adapter(use: str) -> str:
    scheme, _, rest = use.partition(":")
    if scheme == "hf" and rest:
        return rest
    if use.startswith((".", "/", "~")) or Path(use).is_dir():
        return os.path.expanduser(use)
    raise InputError(f"adapter {use!r} is neither hf:ORG/NAME nor a folder, such as ./{use}")


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"base_url {url!r} must start with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise InputError(
            f"base_url for {parts.hostname!r} holds a password; put it into an environment "
            "variable and name that one in api_key_env"
        )
    return url.rstrip("/")
