"""Writes the arithmetic items: stories with numbers drawn from a fixed seed, answers computed.

    python -m data.make_items

Each story is told in two ways, so every item comes with a rewording; and since numbers can be
drawn again, with as many fresh items as one likes (`items/fresh/`). Both are what a test of
contamination compares an item with.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

ITEMS = Path(__file__).parent / "items"
ROUNDS = 5
Numbers = dict[str, int]

EN: list[tuple[str, str, str, Callable[[Numbers], int]]] = [
    (
        "A baker fills {a} trays with {b} rolls each and then sells {c} rolls. How many are left?",
        "{c} rolls are sold from a bakery's {a} trays, each of which held {b}. How many remain?",
        "a 4 9;b 12 20;c 15 40",
        lambda n: n["a"] * n["b"] - n["c"],
    ),
    (
        "Nina reads {a} pages a day for {b} days and {c} pages on the day after. How many pages "
        "has she read?",
        "For {b} days Nina gets through {a} pages daily; one day later she reads {c} more. How "
        "many pages is that in all?",
        "a 12 35;b 3 9;c 5 30",
        lambda n: n["a"] * n["b"] + n["c"],
    ),
    (
        "A farmer has {a} hens. A third as many ducks as hens swim in the pond, and {c} geese "
        "stand beside it. How many birds are there?",
        "{c} geese stand by a farmer's pond with ducks on it, a third as many as the {a} hens he "
        "keeps. How many birds has he in all?",
        "a 6 20 3;c 2 9",
        lambda n: n["a"] + n["a"] // 3 + n["c"],
    ),
    (
        "A train leaves with {a} passengers. At the first stop {b} get off and {c} get on, at the "
        "second {d} get off. How many are on it then?",
        "{a} people start in a train; {b} leave and {c} join at one station, and {d} leave at the "
        "next. How many are still travelling?",
        "a 120 200;b 20 40;c 10 35;d 15 50",
        lambda n: n["a"] - n["b"] + n["c"] - n["d"],
    ),
    (
        "Tickets cost {a} dollars for adults and {b} for children. What do {c} adults and {d} "
        "children pay together, in dollars?",
        "{c} adults and {d} children go in. An adult's ticket is {a} dollars and a child's {b}. "
        "How many dollars is that?",
        "a 9 18;b 3 8;c 2 5;d 2 6",
        lambda n: n["a"] * n["c"] + n["b"] * n["d"],
    ),
    (
        "A rectangular garden is {a} metres long and {b} metres wide. A path takes up {c} square "
        "metres of it. How many square metres are left for planting?",
        "Of a garden of {a} by {b} metres, {c} square metres are a path. What area in square "
        "metres can be planted?",
        "a 12 25;b 6 11;c 10 40",
        lambda n: n["a"] * n["b"] - n["c"],
    ),
    (
        "{a} pencils are shared equally among {b} pupils, and each pupil then loses {c}. How many "
        "pencils has each pupil?",
        "Each of {b} pupils gets the same share of {a} pencils, and mislays {c} of them. How many "
        "does each still have?",
        "b 4 9;q 6 14;c 1 4",
        lambda n: n["q"] - n["c"],
    ),
    (
        "A tank holds {a} litres. A tap fills it at {b} litres a minute for {c} minutes. How many "
        "litres are missing to fill it?",
        "Water runs for {c} minutes at {b} litres a minute into an empty tank that takes {a} "
        "litres. How many litres of room are left?",
        "a 300 500;b 8 15;c 9 18",
        lambda n: n["a"] - n["b"] * n["c"],
    ),
    (
        "Sam is {a} years old and his sister is {b} years younger. How old will they be together "
        "in {c} years?",
        "A boy of {a} has a sister who is {b} years younger than he. What is the sum of their ages "
        "{c} years from now?",
        "a 12 20;b 2 7;c 3 9",
        lambda n: 2 * n["a"] - n["b"] + 2 * n["c"],
    ),
    (
        "A jacket costs {a} dollars. Its price is cut by {p} percent, and then a coupon takes off "
        "{c} dollars. What does it cost now, in dollars?",
        "With {p} percent off and after that a coupon worth {c} dollars, what is paid for a jacket "
        "of {a} dollars?",
        "a 80 240 20;p 10 50 5;c 3 9",
        lambda n: n["a"] - n["a"] * n["p"] // 100 - n["c"],
    ),
]
ZH: list[tuple[str, str, str, Callable[[Numbers], int]]] = [
    (
        "果园里有{a}行苹果树，每行{b}棵，又砍掉了{c}棵。现在有多少棵？",
        "砍掉{c}棵之后，原来每行{b}棵、共{a}行的苹果园还剩多少棵树？",
        "a 8 15;b 9 16;c 10 30",
        lambda n: n["a"] * n["b"] - n["c"],
    ),
    (
        "小红每天存{a}元，存了{b}天，又收到压岁钱{c}元。她一共有多少元？",
        "收到{c}元压岁钱的小红此前连续{b}天每天存{a}元，她现在共有多少元？",
        "a 3 12;b 7 20;c 50 200 10",
        lambda n: n["a"] * n["b"] + n["c"],
    ),
    (
        "一本书有{a}页，小刚前{b}天每天看{c}页，还剩多少页没看？",
        "每天看{c}页，看了{b}天，这本{a}页的书小刚还有几页没看？",
        "a 200 320;b 4 9;c 12 20",
        lambda n: n["a"] - n["b"] * n["c"],
    ),
    (
        "成人票每张{a}元，儿童票每张{b}元。{c}个成人和{d}个儿童一共要付多少元？",
        "{c}位大人带{d}个孩子买票，大人每张{a}元，孩子每张{b}元，总共多少元？",
        "a 20 45 5;b 8 18;c 2 5;d 2 6",
        lambda n: n["a"] * n["c"] + n["b"] * n["d"],
    ),
    (
        "把一些糖平均分给{b}个小朋友，每人分到{q}块，还余{c}块。一共有多少块糖？",
        "{b}个小朋友每人拿到{q}块糖后还多出{c}块，原来共有几块糖？",
        "b 5 12;q 6 15;c 1 4",
        lambda n: n["b"] * n["q"] + n["c"],
    ),
    (
        "一件衣服原价{a}元，先打{z}折，再用一张{c}元的优惠券。实际付多少元？",
        "用{c}元的优惠券买一件打{z}折的衣服，原价{a}元，最后要付多少元？",
        "a 100 400 10;z 5 9;c 5 20 5",
        lambda n: n["a"] * n["z"] // 10 - n["c"],
    ),
    (
        "甲、乙两地相距{d}千米，汽车每小时行{v}千米，行了{t}小时，离乙地还有多少千米？",
        "汽车从甲地去{d}千米外的乙地，以每小时{v}千米走了{t}小时，还要走几千米？",
        "d 400 600;v 50 80;t 3 5",
        lambda n: n["d"] - n["v"] * n["t"],
    ),
    (
        "爸爸今年{a}岁，比小丽大{b}岁。{c}年后两人的年龄之和是多少岁？",
        "小丽比今年{a}岁的爸爸小{b}岁，再过{c}年，两人一共多少岁？",
        "a 35 45;b 24 30;c 2 8",
        lambda n: 2 * n["a"] - n["b"] + 2 * n["c"],
    ),
    (
        "长方形草地长{a}米，宽{b}米，中间有一个{c}平方米的花坛。草地的面积是多少平方米？",
        "一块长{a}米、宽{b}米的长方形地上，除了{c}平方米的花坛都是草，草有多少平方米？",
        "a 15 30;b 8 14;c 12 40",
        lambda n: n["a"] * n["b"] - n["c"],
    ),
    (
        "公共汽车上有{a}人，第一站下去{b}人、上来{c}人，第二站下去{d}人。车上还有多少人？",
        "车里原有{a}人，两站先后下去{b}人和{d}人，其间在第一站上来{c}人，现在有几人？",
        "a 40 60;b 5 15;c 3 12;d 4 14",
        lambda n: n["a"] - n["b"] + n["c"] - n["d"],
    ),
]


def draw(spec: str, rng: random.Random) -> Numbers:
    """Numbers for `name low high [step]` parts; a shared total is a product of its parts."""
    numbers = {}
    for part in spec.split(";"):
        name, low, high, *step = part.split()
        numbers[name] = rng.randrange(int(low), int(high) + 1, *map(int, step or ["1"]))
    if "q" in numbers and "a" not in numbers:
        numbers["a"] = numbers["b"] * numbers["q"]
    return numbers


def items(language: str, seed: int, seen: set[str]) -> list[dict[str, object]]:
    """All stories of a language, each told several times with numbers not `seen` before."""
    rng = random.Random(f"{language}/{seed}")
    rows: list[dict[str, object]] = []
    for _ in range(ROUNDS):
        for story, again, spec, solve in {"en": EN, "zh": ZH}[language]:
            while (text := story.format(**(numbers := draw(spec, rng)))) in seen:
                pass
            seen.add(text)
            rows.append(
                {
                    "id": f"arithmetic_{language}-{len(rows) + 1:02d}",
                    "question": text,
                    "answer": str(solve(numbers)),
                    "reworded": again.format(**numbers),
                }
            )
    return rows


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """One JSON object a line."""
    path.parent.mkdir(exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Write the items, and fresh ones of the same kinds."""
    for language in ("en", "zh"):
        name, seen = f"arithmetic_{language}.jsonl", set[str]()
        write(ITEMS / name, items(language, 1, seen))
        write(ITEMS / "fresh" / name, items(language, 2, seen))


if __name__ == "__main__":
    main()
