"""Rankings and stores made by hand, with everything that the page shows."""

from dataclasses import replace

from arena.benchmarks.scores import BenchmarkScore
from arena.judging.report_card.measures import Measure, share_of
from arena.judging.report_card.orders import JudgeReport
from arena.leaderboard.board import Leaderboard, Row
from arena.ratings import Settings
from arena.records import Answer, BackendKind, Decoding, Evidence, Model, Note, Prompt, Usage
from arena.store import Store

NAMES = ("greedy", "warm", "brief", "hot")


def plain(text: str) -> Note:
    """A note that is the same in every language."""
    return Note.of("message", parts=(text,))


NOTE = "The judge smollm2 changes its verdict in 98.6% of pairs; it was let in."


def make_row(model: str, place: int, rating: float = 1000.0, half: float = 30.0) -> Row:
    return Row(
        model, rating, rating - half, rating + half, place, max(1, place - 1), place + 1, 36, 0.25
    )


def make_board(*rows: Row) -> Leaderboard:
    """A judge-only ranking without notes, benchmarks or reports."""
    return Leaderboard(
        evidence=Evidence.COMBINED,
        label="judge-only",
        settings=Settings("bradley-terry", interval="sandwich", cluster="prompt"),
        rows=rows,
        counts={"smollm2": 72},
    )


def full_board() -> Leaderboard:
    ratings = (1041.73, 1012.5, 987.25, 958.52)
    rows = (make_row(n, i + 1, r) for i, (n, r) in enumerate(zip(NAMES, ratings, strict=True)))
    return replace(
        make_board(*rows),
        judges=("smollm2",),
        notes=(plain(NOTE),),
        benchmarks=tuple(
            BenchmarkScore(
                "short_answer", "acc", name, 0.5 + i / 16, 0.1021, 24, low=0.314, high=0.686
            )
            for i, name in enumerate(NAMES)
        ),
        reports=(
            JudgeReport(
                "smollm2",
                pairs=73,
                one_order=1,
                flips=_share(71, 72),
                first_slot=_share(124, 144),
                unparsed=_share(2, 146),
                agreement=Measure(),
            ),
        ),
    )


def _share(hits: int, cases: int) -> Measure:
    return share_of([True] * hits + [False] * (cases - hits))


def fill(store: Store, models: tuple[str, ...], prompts: list[Prompt], text: str) -> None:
    """Every model answers every turn of every prompt with its name and `text`."""
    store.put_prompts(prompts)
    for name in models:
        model = Model(name, BackendKind.FAKE, "echo", decoding=Decoding(system=f"Be {name}."))
        store.put_model(model)
        store.answers.add(
            Answer(
                name,
                model.key,
                prompt.key,
                turns=tuple(f"{name} says {text}" for _ in prompt.turns),
                finish=tuple("stop" for _ in prompt.turns),
                usage=Usage(10, 24, 0.5),
            )
            for prompt in prompts
        )


def varied_prompts() -> list[Prompt]:
    """Two turns each, four categories, two languages."""
    return [
        Prompt(
            f"{category}-{language}",
            (f"Question of {category} in {language}?", "And then?"),
            category,
            language,
            ("", "Then this."),
        )
        for category in ("writing", "maths", "coding", "advice")
        for language in ("en", "zh")
    ]
