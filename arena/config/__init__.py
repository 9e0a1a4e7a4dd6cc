"""`arena.yaml`: what to run, as one file; and models as they are named on a command line.

Settings are looked up in this order: flag, environment, file, default.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from arena.config.entries import EMBEDDED as EMBEDDED
from arena.config.entries import ModelSettings as ModelSettings
from arena.config.entries import parse_model as parse_model
from arena.config.matrix import expanded
from arena.files.strict import Short, read_parts, read_yaml
from arena.files.strict import Strict as Strict
from arena.records import AllowCode, Evidence, Mode, Model
from arena.records.errors import InputError

# With fewer, an interval is hundreds of points wide, and says nothing of a place.
LEAST_COMPARISONS = 5


class JudgeRun(Short):
    """One entry under `judges:`."""

    ALONE = "judge"
    judge: str
    mode: Mode = Mode.PAIRWISE
    baseline: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class NeedleSettings(Strict):
    """The haystacks of `task: needle`.

    lengths: in tokens, as 4k. depths: in percent. needles: how many in one text. samples: texts
    for each place. filler: a text file of one's own; without one sentences are made.
    """

    lengths: list[str | int] = ["1k", "2k", "4k"]
    depths: list[Annotated[float, Field(ge=0, le=100)]] = [0, 25, 50, 75, 100]
    needles: list[Annotated[int, Field(ge=1, le=12)]] = [1]
    samples: Annotated[int, Field(ge=1)] = 1
    languages: list[Literal["en", "zh"]] = ["en", "zh"]
    filler: str | None = None


class BenchmarkRun(Short):
    """One entry under `benchmarks:`: a task by name, or a data file, and how it is asked.

    mode: `ppl` reads which option is likeliest, `gen` what is written. few_shot: solved items
    that come first. circular: every rotation of the options, right only if all are. variants:
    prompts to compare, of zero-shot, few-shot, cot and template files. chat: whether the chat
    template is used. judge: a card that decides where no answer is found. allow_code: run what
    models write in a container (`true` or `container`), or without one (`unsafe`). contamination:
    look for signs that a model has seen the items; fresh: a file of items to compare with.
    """

    ALONE = "task"
    task: str | None = None
    data: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    mode: Literal["ppl", "gen"] | None = None
    few_shot: Annotated[int, Field(ge=0)] | None = None
    chat: bool | None = None
    multiturn: bool = False
    circular: bool = False
    template: str | None = None
    metric: str | None = None
    variants: list[str] = []
    judge: str | None = None
    allow_code: AllowCode | None = None
    contamination: bool = False
    fresh: str | None = None
    needle: NeedleSettings = NeedleSettings()

    @field_validator("allow_code", mode="before")
    @classmethod
    def _yes_is_in_a_container(cls, allowed: object) -> object:
        if allowed is True:
            return AllowCode.CONTAINER
        return None if allowed is False else allowed

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.task is None) == (self.data is None):
            raise ValueError("name a task or a data file, and not both")
        return self

    @property
    def what(self) -> str:
        """The task's name or the file's."""
        return self.task or self.data or ""


class Weights(Strict):
    """How much each kind of evidence counts in the overall column; taken as shares of their sum."""

    human: Annotated[float, Field(ge=0)] = 0.5
    judge: Annotated[float, Field(ge=0)] = 0.25
    objective: Annotated[float, Field(ge=0)] = 0.25

    @model_validator(mode="after")
    def _some_count(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("one of the weights must be above 0")
        return self


class RankSettings(Strict):
    """How the evidence becomes a ranking.

    min_comparisons: a model with fewer comparisons stands below the ranking, not rated yet; None
    stands for LEAST_COMPARISONS, or 1 where no model has as many. no_answer: what becomes, for
    judges, of a prompt that a model has no answer to.
    """

    evidence: Evidence = Evidence.COMBINED
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    allow_weak_judges: bool = False
    weights: Weights = Weights()
    keep_leaked: bool = False
    cap: Annotated[float, Field(gt=0, le=1)] | None = None
    min_comparisons: Annotated[int, Field(ge=1)] | None = None
    no_answer: Literal["lose", "leave_out"] = "leave_out"


def host_name(host: str) -> str:
    """The name in a Host header, without its port; empty where it is none."""
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", host.lower())
    return found[1].rstrip(".") if found else ""


class Browse(StrEnum):
    """When a voter may look up who wrote the stored answers to a prompt."""

    AFTER_VOTE = "after_vote"
    ALWAYS = "always"
    NOBODY = "nobody"


_SITE = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class AppSettings(Strict):
    """What the voting app allows, and what stands in front of it.

    Limits hold for one voter and, several times over, for one address. votes_per_minute,
    generations_per_hour: live answers. requests_per_minute: of one address. prompt_characters,
    turns: of a live battle. idle_minutes: after which weights that answered live are freed.
    guidelines: what voters are asked to go by, as Markdown, or the name of a .md or .txt file that
    has it. trusted_proxies: addresses or networks whose word on the visitor's
    own address is taken. browse: whether the names of stored answers can be looked up by a voter
    who has nothing of their prompt left to judge, by everybody always, or by nobody. root_path:
    where a proxy puts the app. hosts: the names that it answers to; where none are listed, this
    machine's own if nobody else can reach it, and else any. framed_by: sites that may show the app
    inside their own pages, such as https://huggingface.co.
    """

    votes_per_minute: Annotated[int, Field(ge=1)] = 40
    generations_per_hour: Annotated[int, Field(ge=1)] = 60
    requests_per_minute: Annotated[int, Field(ge=10)] = 900
    voters_per_address: Annotated[int, Field(ge=1)] = 10
    prompt_characters: Annotated[int, Field(ge=1)] = 8000
    turns: Annotated[int, Field(ge=1)] = 6
    idle_minutes: Annotated[float, Field(gt=0)] = 10.0
    guidelines: str = ""
    browse: Browse = Browse.AFTER_VOTE
    trusted_proxies: list[str] = []
    root_path: str = ""
    hosts: list[str] = []
    framed_by: list[str] = []

    @field_validator("framed_by")
    @classmethod
    def _are_sites(cls, sites: list[str]) -> list[str]:
        for site in sites:
            if not _SITE.fullmatch(site):
                raise ValueError(f"{site!r}; it must be a site alone, such as https://example.org")
        return sites

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError as error:
                raise ValueError(
                    f"{proxy!r}; it must be an address or a network, such as 127.0.0.1 or "
                    "10.0.0.0/8"
                ) from error
        return proxies

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if host_name(host) != host.lower():
                raise ValueError(
                    f"{host!r}; it must be a name alone, such as arena.example.org, without "
                    "http:// and port"
                )
        return [host.lower() for host in hosts]


class Config(Strict):
    """The whole file. Every field has a default, so that any part may be left out.

    license: of what is published, such as CC-BY-4.0.
    """

    title: str = "Arena"
    license: str = ""
    db: str = "arena.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 7860
    models: dict[str, ModelSettings] = {}
    prompts: list[str] = ["core"]
    limit: Annotated[int, Field(ge=1)] | None = None
    judges: list[JudgeRun] = []
    benchmarks: list[BenchmarkRun] = []
    rank: RankSettings = RankSettings()
    app: AppSettings = AppSettings()
    publish: str | Literal[False] = "site"

    @field_validator("models", mode="before")
    @classmethod
    def _stand_for_several(cls, models: Any) -> Any:
        return expanded(models)

    @field_validator("models")
    @classmethod
    def _are_well_formed(cls, models: dict[str, ModelSettings]) -> dict[str, ModelSettings]:
        wrong: list[str] = []
        for name, settings in models.items():
            try:
                settings.model(name)
            except InputError as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError("; ".join(wrong))
        return models

    def candidates(self) -> dict[str, Model]:
        """The models of the file by name."""
        return {name: settings.model(name) for name, settings in self.models.items()}

    def model(self, text: str) -> Model:
        """A model of the file by its name, or one given inline."""
        return self.candidates().get(text) or parse_model(text)


# The parts of which no command can do without.
ALWAYS = ("db",)


def load_config(path: Path | None) -> Config:
    """Read `path`; without one `arena.yaml` of the current folder, if it is there."""
    return load_parts(path, tuple(Config.model_fields))[0]


def load_parts(path: Path | None, needs: Sequence[str]) -> tuple[Config, tuple[str, ...]]:
    """As `load_config`, for who needs some parts only; what is wrong with others is told."""
    if path is None:
        path = Path("arena.yaml")
        if not path.exists():
            return Config(), ()
    if set(needs) == set(Config.model_fields):
        return read_yaml(path, Config), ()
    return read_parts(path, Config, needs, ALWAYS)
