"""Judge cards: `judges/NAME.yaml` beside its templates. A new judge needs no Python."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from arena.config import ModelSettings, Strict
from arena.files.assets import find, named
from arena.files.encodings import read_text
from arena.files.strict import read_yaml
from arena.judging.cards.templates import Template
from arena.judging.replies.forms import ReplyFormat
from arena.judging.replies.parsing import VERSION
from arena.records import BackendKind, Mode, Model, Reading, content_key
from arena.records.errors import InputError

LOGIT_SCALE_TOP = 9


THREE_STEPS = frozenset({"A", "B", "tie"})
FIVE_STEPS = frozenset({"A>>B", "A>B", "tie", "B>A", "B>>A"})
MOST_RANKED = 9
# What a reward model, which is given a conversation and nothing else, has no use for.
_NOT_FOR_REWARDS = ("pairwise", "score", "rank", "structured", "orders", "reference", "cascade")
_RUN_HERE = (BackendKind.LOCAL, BackendKind.FAKE)


class ModeSettings(Strict):
    """What every mode of a card has. format: how a written verdict looks."""

    template: str
    format: ReplyFormat = ReplyFormat.BRACKETS


class PairwiseSettings(ModeSettings):
    """How a pair is put to the judge.

    options: the words that stand for A, B and a tie, or for the five steps from `A>>B` to
    `B>>A`. prefill: how a reply begins whose next word is read; for logit reading by a
    local model, or by a server that can go on from a begun reply.
    """

    prefill: str = ""
    options: dict[str, str] = Field(default={"A": "A", "B": "B", "tie": "C"})

    @model_validator(mode="after")
    def _verdicts_are_known(self) -> Self:
        offered = set(self.options)
        if not {"A", "B"} <= offered <= THREE_STEPS and offered != FIVE_STEPS:
            raise ValueError(
                "options must name A and B, and may name tie; or the five steps "
                "'A>>B', 'A>B', tie, 'B>A' and 'B>>A'; nothing else"
            )
        if len({word.casefold() for word in self.options.values()}) < len(self.options):
            raise ValueError("two options are the same word")
        if blank := [verdict for verdict, word in self.options.items() if not word.strip()]:
            raise ValueError(f"options: the word for {blank[0]} is empty")
        return self


class ScoreSettings(ModeSettings):
    """How one answer is put to the judge.

    scale: the lowest and the highest whole number. criteria: what is scored apart, each with
    its weight in the mean. tie: two answers whose scores differ by no more than this tie.
    """

    prefill: str = ""
    scale: tuple[int, int] = (1, 10)
    criteria: dict[str, Annotated[float, Field(gt=0)]] | None = None
    tie: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.scale[0] >= self.scale[1]:
            raise ValueError("scale must be [lowest, highest]")
        if self.criteria and self.format not in (ReplyFormat.BRACKETS, ReplyFormat.JSON):
            raise ValueError("criteria go with `format: brackets` or `format: json`")
        return self


class RankingSettings(ModeSettings):
    """How several answers are put to the judge at once. size: how many at most."""

    size: Annotated[int, Field(ge=2, le=MOST_RANKED)] = 4

    @model_validator(mode="after")
    def _format_has_orders(self) -> Self:
        if self.format not in (ReplyFormat.BRACKETS, ReplyFormat.JSON):
            raise ValueError("rank goes with `format: brackets` or `format: json`")
        return self


class CascadeSettings(Strict):
    """Who is asked about what this judge finds hard.

    to: another card. below: a preference nearer than this to even is hard, and so is a pair
    whose two orders disagree.
    """

    to: str
    below: Annotated[float, Field(gt=0, le=0.5)] = 0.2


class CardFile(Strict):
    """A card as it is written.

    reading: `reward` is of a reward model, and goes without modes and templates.
    structured: the server holds the reply to the format's JSON schema. orders: in how many
    orders answers are shown. reference: shown where a prompt has one, hidden, or needed: prompts
    without one are left out. turns: a conversation is judged once, as a whole, or after each of
    its turns. cascade: hard pairs are put to
    another card, whose verdicts then stand for this judge's. start: the command that starts the
    judge; note: what to know before.
    """

    description: str = ""
    model: ModelSettings
    reading: Reading = Reading.REASONED
    pairwise: PairwiseSettings | None = None
    score: ScoreSettings | None = None
    rank: RankingSettings | None = None
    structured: bool = False
    orders: Literal["both", "one"] = "both"
    reference: Literal["shown", "hidden", "needed"] = "shown"
    turns: Literal["whole", "each"] = "whole"
    cascade: CascadeSettings | None = None
    start: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _has_a_mode(self) -> Self:
        if self.reading is Reading.REWARD:
            return self._checked_reward()
        modes = [mode for mode in (self.pairwise, self.score, self.rank) if mode]
        if not modes:
            raise ValueError("a card needs `pairwise:`, `score:` or `rank:`")
        if self.structured and any(mode.format is not ReplyFormat.JSON for mode in modes):
            raise ValueError("structured goes with `format: json` in every mode")
        if self.reading is Reading.LOGIT:
            self._check_logit(modes)
        if self.cascade and not self.pairwise:
            raise ValueError("cascade goes with `pairwise:`")
        window, written = self.model.context_length, self.model.decoding().room
        if window is not None and window <= written:
            raise ValueError(
                f"model.context_length is {window}, and max_tokens takes {written} of it; "
                "nothing is left to read"
            )
        return self

    def _checked_reward(self) -> Self:
        if given := [name for name in _NOT_FOR_REWARDS if name in self.model_fields_set]:
            raise ValueError(
                f"reward reading has no `{given[0]}:`: a reward model is given the conversation "
                "alone, as its own chat template writes it, and has one number for each answer"
            )
        return self

    def _check_logit(self, modes: Sequence[ModeSettings]) -> None:
        if self.rank or any(mode.format is not ReplyFormat.BRACKETS for mode in modes):
            raise ValueError("logit reading has neither `rank:` nor `format:`: nothing is written")
        if self.pairwise and not set(self.pairwise.options) <= THREE_STEPS:
            raise ValueError("pairwise.options: logit reading has three steps, not five")
        if self.score and self.score.criteria:
            raise ValueError("score.criteria: logit reading reads one digit")
        if self.score and not 0 <= self.score.scale[0] < self.score.scale[1] <= LOGIT_SCALE_TOP:
            raise ValueError(
                "score.scale: logit reading reads one digit, so the scale must lie "
                f"within [0, {LOGIT_SCALE_TOP}]"
            )


@dataclass(frozen=True)
class JudgeCard:
    """A judge: a model, how it reads, and a template for each mode that is written out.

    second: the card that hard pairs are put to.
    """

    name: str
    path: Path
    file: CardFile
    model: Model
    templates: dict[Mode, Template]
    second: "JudgeCard | None" = None

    @property
    def is_logit(self) -> bool:
        """Whether it is read from the odds of its next word."""
        return self.file.reading is Reading.LOGIT

    @property
    def is_reward(self) -> bool:
        """Whether it is a reward model, which has a number for each answer."""
        return self.file.reading is Reading.REWARD

    @property
    def is_written(self) -> bool:
        """Whether it is read from what it writes."""
        return self.file.reading is Reading.REASONED

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What it can be asked; a reward model scores."""
        return (Mode.SCORE,) if self.is_reward else tuple(self.templates)

    @property
    def room(self) -> int | None:
        """The tokens that what is put to it may have; None where its window is not stated."""
        window = self.model.context_length
        return window if window is None or self.is_reward else window - self.model.decoding.room

    def require(self, mode: Mode) -> None:
        """Raise InputError, naming the modes that the card has, where this is none of them."""
        if mode not in self.modes:
            has = ", ".join(self.modes)
            raise InputError(f"{self.path}: the judge {self.name} has no mode {mode}; it has {has}")

    def template(self, mode: Mode) -> Template:
        """The template of a mode, or an error naming those that the card has."""
        self.require(mode)
        return self.templates[mode]

    def key(self, mode: Mode) -> str:
        """What its verdicts depend on: the model, the reading, the mode's settings and text."""
        return content_key("judge", *self._content(mode).values())

    def snapshot(self, mode: Mode) -> str:
        """What the store keeps of the judge, as JSON, to explain its verdicts later."""
        more = {name: getattr(self.model, name) for name in ("weights", "family", "price")}
        whole = self._content(mode) | more
        return json.dumps(whole, ensure_ascii=False)

    def _content(self, mode: Mode) -> dict[str, Any]:
        """A setting at its default is left out, so that a new one leaves old judges as they are."""
        self.require(mode)
        if self.is_reward:
            turns = self.file.model_dump(include={"turns"}, exclude_defaults=True)
            reading = {"reading": self.file.reading, "mode": mode}
            return {"model": self.model.key, **reading, "conversation": turns}
        settings = getattr(self.file, mode)
        content = {
            "model": self.model.key,
            "reading": self.file.reading,
            "mode": mode,
            "settings": settings.model_dump(
                mode="json", exclude={"template"}, exclude_defaults=True
            ),
            "conversation": self.file.model_dump(
                include={"structured", "reference", "turns"}, exclude_defaults=True
            ),
            "parsing": VERSION,
            "template": self.template(mode).text,
        }
        if self.file.cascade and self.second and mode is Mode.PAIRWISE:
            content["cascade"] = [self.file.cascade.below, self.second.key(mode)]
        return content


def load_card(
    name: str, home: Path, *, weights: str | None = None, base_url: str | None = None
) -> JudgeCard:
    """Read a card by name; `weights` and `base_url` say where this run's judge is."""
    path = Path(name) if name.endswith(".yaml") else find("judge", "judges", ".yaml", name, home)
    file = read_yaml(path, CardFile)
    settings = file.model
    if weights:
        other: dict[str, Any] = {"use": weights, "base_url": None}
        if "@" in weights:  # a server of its own: the card's key and prices are another's
            other |= {"api_key_env": None, "price": None}
        settings = settings.model_copy(update=other)
    if base_url:
        settings = settings.model_copy(update={"base_url": base_url})
    modes = {Mode.PAIRWISE: file.pairwise, Mode.SCORE: file.score, Mode.RANK: file.rank}
    templates = {mode: _template(path, part.template, mode) for mode, part in modes.items() if part}
    second = None
    if file.cascade:
        second = load_card(file.cascade.to, home)
        if second.file.cascade or not second.file.pairwise:
            raise InputError(
                f"{path}: cascade: {second.name} must compare pairs and have no cascade of its own"
            )
    model = settings.model(path.stem)
    if file.reading is Reading.REWARD and model.backend not in _RUN_HERE:
        raise InputError(
            f"{path}: reward reading runs on transformers in this process; model.use must be "
            f"hf:ORG/NAME or a folder, not {settings.use}"
        )
    return JudgeCard(path.stem, path, file, model, templates, second)


def list_cards(home: Path) -> Iterator[JudgeCard]:
    """Every card that is there, the user's own first."""
    load = partial(load_card, home=home)
    return (load(name) for name, _ in named("judges", ".yaml", home))


def _template(card: Path, name: str, mode: Mode) -> Template:
    path = card.parent / name
    if not path.is_file():
        raise InputError(f"{card}: {mode}: template: {path} is not there")
    return Template(path, read_text(path), mode)
