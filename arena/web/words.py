"""What the app says, in English and Chinese."""

from collections.abc import Callable, Mapping
from typing import Any

# From the name of a word to what Gradio shows in the language of the browser.
Say = Callable[[str], Any]

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Arena",
        "vote_tab": "Vote",
        "board_tab": "Leaderboard",
        "intro": "Two models answered the same prompt. Which answer is better? "
        "Their names appear after your vote.",
        "prompt": "Prompt",
        "answer_a": "Answer A",
        "answer_b": "Answer B",
        "a_better": "A is better",
        "b_better": "B is better",
        "tie": "Tie",
        "both_bad": "Both are bad",
        "next": "Next pair",
        "keys": "Keys: A or ←, B or →, T for a tie, X for both bad, Enter for the next pair.",
        "turn": "Turn",
        "counted": "Your vote is counted.",
        "was": "was",
        "nothing": "There is nothing to vote on yet. Let two models answer the same prompts first: "
        "arena generate --model … ; or fill the database with samples: arena init --sample",
        "no_cookie": "Your browser sent no cookie, so that your vote could not be told from "
        "others'. Allow cookies for this page and reload it.",
        "unknown_battle": "This pair was not shown to you, so the vote is not counted. "
        "Take the next pair.",
        "evidence": "What the ranking stands on",
        "combined": "Everything",
        "human": "People's votes",
        "judge": "Judge models",
        "agreement": "Agreement with people",
        "flips": "Changed by the order",
        "first_slot": "For the one shown first",
        "unparsed": "Could not be read",
        "objective": "Benchmarks",
        "refresh": "Refresh",
        "rank": "Rank",
        "model": "Model",
        "rating": "Rating",
        "interval": "95 % interval",
        "comparisons": "Comparisons",
        "from": "from",
        "votes": "people's votes",
        "weak": "Show it all the same: the judges were found too weak to rank by",
    },
    "zh": {
        "title": "竞技场",
        "vote_tab": "投票",
        "board_tab": "排行榜",
        "intro": "两个模型回答了同一个问题，哪个回答更好？投票之后才公布它们的名字。",
        "prompt": "问题",
        "answer_a": "回答 A",
        "answer_b": "回答 B",
        "a_better": "A 更好",
        "b_better": "B 更好",
        "tie": "平局",
        "both_bad": "都不好",
        "next": "下一对",
        "keys": "快捷键：A 或 ←，B 或 →，T 平局，X 都不好，回车看下一对。",
        "turn": "第几轮：",
        "counted": "你的一票已计入。",
        "was": "是",
        "nothing": "还没有可以投票的回答。请先让两个模型回答同一组问题：arena generate --model …；"
        "或者放入示例数据：arena init --sample",
        "no_cookie": "浏览器没有发送 Cookie，无法区分投票人。请允许本页使用 Cookie，然后刷新。",
        "unknown_battle": "这一对没有展示给你，所以这一票不计。请看下一对。",
        "evidence": "榜单的依据",
        "combined": "全部",
        "human": "人的投票",
        "judge": "裁判模型",
        "agreement": "与人一致",
        "flips": "随顺序改判",
        "first_slot": "选先出现的",
        "unparsed": "读不出",
        "objective": "客观评测",
        "refresh": "刷新",
        "rank": "名次",
        "model": "模型",
        "rating": "评分",
        "interval": "95% 区间",
        "comparisons": "比较次数",
        "from": "条，来自",
        "votes": "人的投票",
        "weak": "仍然显示：这些裁判被判定为不足以排名",
    },
}


def language_of(accept_language: str | None) -> str:
    """`zh` where the browser asks for Chinese before English, else `en`."""
    for part in (accept_language or "").lower().split(","):
        tag = part.split(";")[0].strip()[:2]
        if tag in WORDS:
            return tag
    return "en"
