"""Needles in a haystack: sentences hidden in a long text, asked for at its end.

A needle says the secret word of a town. The haystack is of sentences that say nothing of
secrets: made ones, so that any length can be had without repeats, or a text of the user's own.
Lengths are in tokens of the model that is asked, and bounded by its window.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from arena.benchmarks.items.asking import EXPLAIN, Asking
from arena.benchmarks.items.dimensions import Dimension
from arena.benchmarks.items.reading import Item
from arena.benchmarks.items.tasks import ROOM_TO_THINK, Benchmark, item_benchmark
from arena.benchmarks.scores import ItemValue
from arena.records.errors import InputError

NAME, VERSION = "needle", "1"
DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
REPLY, CHAT = 96, 64  # tokens of a length that are for the reply and the chat template
SHORTEST = 384
_ITEM = re.compile(r"(\w+) (\d+) tokens (\d+)% (\d+)x #(\d+)")
# What has no end is taken as well, and passed over, so that it is read once.
_SENTENCE = re.compile(r"[^.!?。！？\n]++([.!?。！？]*)")


@dataclass(frozen=True, slots=True)
class NeedleCell:
    """One place of the map. length: tokens. depth: of the (first) needle, in [0, 1]."""

    language: str
    length: int
    depth: float
    needles: int
    sample: int = 0

    @property
    def name(self) -> str:
        """As the item is called."""
        depth = round(100 * self.depth)
        return f"{self.language} {self.length} tokens {depth}% {self.needles}x #{self.sample}"

    @classmethod
    def parse(cls, name: str) -> "NeedleCell | None":
        """The inverse of `name`, None for an item of another benchmark."""
        match = _ITEM.fullmatch(name)
        if match is None:
            return None
        language, length, depth, needles, sample = match.groups()
        return cls(language, int(length), int(depth) / 100, int(needles), int(sample))


@dataclass(frozen=True, slots=True)
class Haystack:
    """What is to be asked. filler: a text of the user's own, empty for made sentences."""

    lengths: tuple[int, ...]
    depths: tuple[float, ...] = DEPTHS
    needles: tuple[int, ...] = (1,)
    languages: tuple[str, ...] = ("en", "zh")
    samples: int = 1
    filler: str = ""
    seed: int = 0


def parse_lengths(texts: Sequence[str]) -> tuple[int, ...]:
    """`1k`, `4K`, `32768` as tokens; a k is 1024."""
    found = []
    for text in texts:
        match = re.fullmatch(r"(\d+)(k?)", text.strip().lower())
        tokens = int(match[1]) * (1024 if match[2] else 1) if match else 0
        if tokens < SHORTEST:
            raise InputError(
                f"--lengths {text!r}; it must be a number of tokens from {SHORTEST}, as 4k"
            )
        found.append(tokens)
    return tuple(dict.fromkeys(found))


def needle_benchmark(
    haystack: Haystack,
    count_tokens: Callable[[str], int],
    window: int | None,
    metric: str = "recall",
) -> tuple[Benchmark, list[str]]:
    """The items that fit the model's window; sentences on those that do not.

    metric: of `marking.METRICS`; `judged` leaves every reply to a judge.
    Raises InputError where none fits, or the filler is too short.
    """
    lengths = [n for n in haystack.lengths if window is None or n <= window]
    notes = [
        f"needle: {n} tokens are left out, because the model's window has {window}."
        for n in haystack.lengths
        if n not in lengths
    ]
    if not lengths:
        raise InputError(
            f"--lengths {min(haystack.lengths)}: the model's window has {window} tokens"
        )
    items = [
        _item(NeedleCell(language, length, depth, needles, sample), haystack, count_tokens)
        for language in haystack.languages
        for length in lengths
        for needles in haystack.needles
        for depth in (haystack.depths if needles == 1 else haystack.depths[:1])
        for sample in range(haystack.samples)
    ]
    name = f"filler {haystack.filler[:20]!r}…" if haystack.filler else "made filler"
    asking = Asking(template=EXPLAIN, metric=metric, name=name)
    benchmark = item_benchmark(NAME, VERSION, items, asking, Dimension.LONG_CONTEXT)
    room = ROOM_TO_THINK if window is None else min(ROOM_TO_THINK, window - max(lengths) + REPLY)
    benchmark.task.set_config("generation_kwargs", {"max_gen_toks": room}, update=True)
    return benchmark, notes


def _item(cell: NeedleCell, haystack: Haystack, count_tokens: Callable[[str], int]) -> Item:
    dice = random.Random(f"{haystack.seed}/{cell.name}")
    towns = dice.sample(_TOWNS[cell.language], cell.needles)
    words = dice.sample(_WORDS[cell.language], cell.needles)
    says, opening = _NEEDLE[cell.language], _OPENING[cell.language]
    hidden = [says.format(town=t, word=w) for t, w in zip(towns, words, strict=True)]
    question = _QUESTION[cell.language].format(towns=_AND[cell.language].join(towns))
    source = _own(haystack.filler) if haystack.filler else _made(cell.language, dice)
    room = cell.length - REPLY - CHAT - sum(map(count_tokens, [opening, *hidden, question]))
    text = _fill(cell, source, room, count_tokens)
    # Several needles are spread evenly; a single one lies at its depth.
    spread = [(k + 0.5) / cell.needles for k in range(cell.needles)]
    depths = [cell.depth] if cell.needles == 1 else spread
    for depth, sentence in sorted(zip(depths, hidden, strict=True), reverse=True):
        text.insert(round(depth * len(text)), sentence)
    whole = f"{opening}\n\n{_JOINT[cell.language].join(text)}\n\n{question}"
    return Item(cell.name, whole, tuple(words), language=cell.language)


def _fill(
    cell: NeedleCell, source: Iterator[str], room: int, count_tokens: Callable[[str], int]
) -> list[str]:
    """As many sentences as `room` tokens hold, at least one."""
    text: list[str] = []
    left = room
    while left >= 0:
        sentence = next(source, None)
        if sentence is None:
            raise InputError(
                f"the filler ends {left} tokens short of {cell.length}; give a longer text"
            )
        text.append(sentence)
        left -= count_tokens(sentence)
    # Joined, sentences may have more tokens than alone.
    while text and count_tokens(_JOINT[cell.language].join(text)) > room:
        text.pop()
    if not text:
        raise InputError(
            f"--lengths {cell.length}: {cell.needles} needles and the question leave no room "
            "for a sentence of filler"
        )
    return text


def _own(filler: str) -> Iterator[str]:
    ended = (found[0].strip() for found in _SENTENCE.finditer(filler) if found[1])
    return filter(None, ended)


def _made(language: str, dice: random.Random) -> Iterator[str]:
    """Sentences without end, no two with the same year and thing."""
    parts = _PARTS[language]
    start = dice.randrange(1200, 1900)
    for number in count():
        who, what, where, then = (dice.choice(part) for part in parts)
        yield _FORM[language].format(
            year=start + number % 120, who=who, what=what, where=where, then=then,
            amount=dice.randrange(2, 900),
        )  # fmt: skip


_NEEDLE = {"en": "The secret word of {town} is {word}.", "zh": "{town}的暗号是“{word}”。"}
_OPENING = {
    "en": "Read the text. A question about it follows.",
    "zh": "请阅读下面的文字，然后回答问题。",
}
_QUESTION = {
    "en": "What is the secret word of {towns}? Reply with it and nothing else.",
    "zh": "{towns}的暗号是什么？只回答暗号。",
}
_JOINT = {"en": " ", "zh": ""}
_AND = {"en": ", and of ", "zh": "和"}
_TOWNS = {
    "en": ["Alderby", "Brackmoor", "Cintra Vale", "Dunfell", "Eskholm", "Farrowick", "Grintown",
           "Hollin Bay", "Ilmarch", "Jessop", "Kelderwood", "Lutterton"],
    "zh": ["青石镇", "白鹭湾", "柳林集", "双桥村", "云岭县", "梅溪镇", "沙渡口", "古榆堡",
           "龙泉坞", "雁门店", "松鹤里", "浮山屯"],
}  # fmt: skip
_WORDS = {
    "en": ["lantern", "saffron", "walnut", "compass", "thimble", "harpoon", "velvet", "quartz",
           "juniper", "anvil", "marmalade", "falcon"],
    "zh": ["灯笼", "藏红花", "核桃", "罗盘", "顶针", "鱼叉", "丝绒", "石英", "杜松", "铁砧",
           "蜂蜜", "猎鹰"],
}  # fmt: skip
_FORM = {
    "en": "In the year {year} {who} {what} {amount} {where}, and {then}.",
    "zh": "{year}年，{who}{what}{amount}{where}，{then}。",
}
_PARTS = {
    "en": (
        ["a miller", "the town council", "two sisters", "an old sailor", "the schoolmaster",
         "a company of masons", "the ferryman", "a widow from the hills", "the guild of weavers",
         "a travelling doctor"],
        ["bought", "counted", "repaired", "painted", "sold", "mended", "carried off", "stored",
         "gave away", "ordered"],
        ["barrels at the harbour", "sheep on the common", "roof tiles at the church",
         "books in the reading room", "lamps along the quay", "chairs for the hall",
         "sacks of barley at the mill", "boats below the weir", "saplings by the road",
         "windows of the orphanage"],
        ["nobody thought more of it", "the bill was paid in spring", "it rained for a week after",
         "the neighbours were pleased", "a note was made of it in the register",
         "the work took until the harvest", "the children were given the day off",
         "it was spoken of for some years", "the mayor sent his thanks",
         "the rest was left for winter"],
    ),
    "zh": (
        ["一位磨坊主", "镇上的议事会", "两姐妹", "一个老水手", "学堂先生", "几位石匠", "摆渡人",
         "山里来的大娘", "织布行会", "一位游医"],
        ["买下了", "清点了", "修好了", "漆过了", "卖掉了", "补好了", "运走了", "存放了", "送出了",
         "订购了"],
        ["个码头上的木桶", "只公地上的羊", "片寺庙的屋瓦", "本书房里的旧书", "盏河岸边的路灯",
         "把会馆的椅子", "袋磨坊的麦子", "条水坝下的小船", "棵路边的树苗", "扇学堂的窗户"],
        ["后来没有人再提起", "账在春天结清了", "随后下了一个星期的雨", "邻居们都很高兴",
         "登记簿上记了一笔", "这件事一直做到秋收", "孩子们放了一天假", "大家谈论了好几年",
         "镇长特意道谢", "剩下的留到了冬天"],
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NeedleMap:
    """Where one model found what. values: a row a depth, an entry a length, None if not asked."""

    title: str
    lengths: tuple[int, ...]
    depths: tuple[float, ...]
    values: tuple[tuple[float | None, ...], ...]


def needle_maps(values: Iterable[ItemValue]) -> list[NeedleMap]:
    """A map for each model, filler, language and number of needles."""
    found: dict[tuple[str, str, str, int], dict[tuple[float, int], list[float]]] = {}
    for value in values:
        cell = NeedleCell.parse(value.item) if value.benchmark == NAME else None
        if cell is not None:
            which = value.model, value.variant, cell.language, cell.needles
            here = found.setdefault(which, {})
            here.setdefault((cell.depth, cell.length), []).append(value.value)
    maps = []
    for (model, variant, language, needles), cells in found.items():
        lengths = tuple(sorted({length for _, length in cells}))
        depths = tuple(sorted({depth for depth, _ in cells}))
        shares = tuple(
            tuple(_share(cells.get((depth, length))) for length in lengths) for depth in depths
        )
        many = "" if needles == 1 else f", {needles} needles all over the text"
        title = f"{model}, {language}, {variant}{many}"
        maps.append(NeedleMap(title, lengths, depths, shares))
    return maps


def _share(values: list[float] | None) -> float | None:
    return sum(values) / len(values) if values else None
