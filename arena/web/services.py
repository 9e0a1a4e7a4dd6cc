"""What the pages share: the store, and what is derived from it or guards it."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from arena.config import AppSettings, Config
from arena.leaderboard.judge_audit import JudgeAudit, audit_judge, judges_with_verdicts
from arena.records import Model
from arena.records.errors import InputError
from arena.store import Store
from arena.web.background.audits import Audits, audit
from arena.web.background.boards import Boards
from arena.web.background.cache import WHOLE, Cache
from arena.web.background.comparisons import PairReports
from arena.web.background.model_record import Records
from arena.web.catalogue import Catalogue, catalogue
from arena.web.security.rate_limits import Allowances
from arena.web.security.voters import Voters
from arena.web.voting.blind import Blind
from arena.web.voting.live import Live
from arena.web.voting.pool import Pool


@dataclass(frozen=True)
class Services:
    """Everything a page works with. password: of the admin page, empty where there is none.

    item_files: that benchmarks were asked from, as arena.yaml has them; None where their questions
    and right answers are not shown.
    """

    store: Store
    voters: Voters
    pool: Pool
    blind: Blind
    boards: Boards
    records: Records
    pair_reports: PairReports
    audits: Audits
    cards: Cache[str, tuple[JudgeAudit, ...]]
    catalogue: Cache[str, Catalogue]
    live: Live
    allowances: Allowances
    settings: AppSettings = field(default_factory=AppSettings)
    password: str = ""
    guidelines: str = ""
    item_files: tuple[Path, ...] | None = ()


def services(
    store: Store,
    voters: Voters,
    *,
    models: dict[str, Model] | None = None,
    settings: AppSettings | None = None,
    password: str = "",
    config: Config | None = None,
    shows_items: bool = True,
) -> Services:
    """The services on a store. models: that may answer live, as arena.yaml has them.

    config: of arena.yaml, which says how to rank. shows_items: whether visitors may read the
    questions and right answers of benchmarks.
    """
    settings = settings or AppSettings()
    data = [Path(entry.data) for entry in config.benchmarks if entry.data] if config else []
    pool = Pool(store)
    return Services(
        store,
        voters,
        pool,
        Blind(store, settings.browse),
        Boards(store, config),
        Records(store, config),
        PairReports(store, config),
        Audits(store, partial(audit, config=config)),
        Cache(store, report_cards, WHOLE),
        Cache(store, partial(catalogue, config=config), WHOLE),
        Live(store, models or {}, settings),
        Allowances(settings),
        settings,
        password,
        read_guidelines(settings.guidelines, store.home),
        tuple(data) if shows_items else None,
    )


def read_guidelines(given: str, home: Path) -> str:
    """The guidelines themselves: the text, or that of the file which it names.

    A file is looked for where the app was started, then beside the database. Raises InputError
    where there is none.
    """
    name = given.strip()
    if "\n" in name or not name.endswith((".md", ".txt")):
        return name
    for path in (Path(name), home / name):
        if path.is_file():
            return path.read_text(encoding="utf-8").strip()
    raise InputError(f"app: guidelines names {name!r}, and there is no such file; write the text")


def report_cards(store: Store, _: str = WHOLE) -> tuple[JudgeAudit, ...]:
    """The report card of every judge that has compared pairs."""
    return tuple(audit_judge(store, judge) for judge in judges_with_verdicts(store))
