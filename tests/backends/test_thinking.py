"""Thinking is told from what is said, whatever marks a model uses."""

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.backends.thinking import Spoken, split

MARKS = [
    ("<think>", "</think>"),
    ("<THINK>", "</Think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"),
    ("<antThinking>", "</antThinking>"),
    ("＜think＞", "＜/think＞"),
    ("< think >", "</ think >"),
    ("<think>", "<\\/think>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<thinking_process>", "</thinking_process>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|begin_of_thinking|>", "<|end_of_thinking|>"),
    ("<|think|>", "<|/think|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"),
    ("Here is my thought process:\n", "\nHere is my response:\n"),
]
HARMONY = "<|channel|>{}<|message|>{}<|end|><|start|>assistant"


@pytest.mark.parametrize(("opening", "closing"), MARKS)
def test_what_stands_between_marks_is_thinking(opening: str, closing: str) -> None:
    assert split(f"{opening}Is it 5?{closing}\n\nIt is 4.") == Spoken("It is 4.", "Is it 5?")
    assert split(f"\n{opening}Is it 5?{closing}It is 4.").answer == "It is 4."


@pytest.mark.parametrize(("opening", "closing"), MARKS)
def test_without_an_end_there_is_no_answer(opening: str, closing: str) -> None:
    assert split(f"{opening}Is it 5? It") == Spoken("", "Is it 5? It", unfinished=True)


@pytest.mark.parametrize("closing", [closing for _, closing in MARKS[:23]])
def test_a_template_may_have_opened_the_thinking(closing: str) -> None:
    assert split(f"Is it 5?\n{closing}\n\nIt is 4.") == Spoken("It is 4.", "Is it 5?")


@pytest.mark.parametrize(
    ("text", "answer", "thinking", "unfinished"),
    [
        ("", "", "", False),
        ("## Thinking\n\na\n\n## Final Response\n\nb", "b", "a", False),
        ("Thinking...\na\n...done thinking.\n\nb", "b", "a", False),
        ('<details type="reasoning" done="true">\na\n</details>\nb', "b", "a", False),
        ("<scratchpad>a</scratchpad>b", "b", "a", False),
        ("<start_of_thought>a<end_of_thought>b", "b", "a", False),
        ("<think>a</think><|begin_of_box|>b<|end_of_box|>", "b", "a", False),
        (" It is 4.\n", " It is 4.\n", "", False),
        ("<think></think>It is 4.", "It is 4.", "", False),
        ("<think>\n\n</think>\n\nIt is 4.", "It is 4.", "", False),
        ("<think>", "", "", True),
        ("<think>a</think>", "", "a", False),
        ("<think>a</think>one<think>b</think>two", "one\ntwo", "a\nb", False),
        ("It is 4. <think>Or", "It is 4. <think>Or", "", False),
        ("It is 4.\n<think>Or", "It is 4.", "Or", True),
        ("<think>a</think> <think>b", "", "a\nb", True),
        ("Sure <think>a</think>one", "Sure\none", "a", False),
        ("<think>say </think> last</think>one", "one", "say\nlast", False),
        ("<think>```\nopen</think>one", "one", "```\nopen", False),
        ("<think>a</think><answer>\none\n</answer>", "one", "a", False),
        ("<answer>one</answer>", "<answer>one</answer>", "", False),
        ("It is 4.<|im_end|>", "It is 4.", "", False),
        ("It is 4.</s>\n", "It is 4.", "", False),
        ("<s>old</s>", "<s>old</s>", "", False),
        ("<think>a</think>one<|eot_id|>", "one", "a", False),
        (
            HARMONY.format("analysis", "a") + "<|channel|>final<|message|>one<|return|>",
            "one",
            "a",
            0,
        ),
        (HARMONY.format("analysis", "a"), "", "a", True),
        (
            HARMONY.format("commentary to=functions.f <|constrain|>json", "{}")
            + "<|channel|>final <|constrain|>json<|message|>one",
            "one",
            "{}",
            False,
        ),
        ("<|channel|>final<|message|>one", "one", "", False),
        ("analysis of the text", "analysis of the text", "", False),
    ],
)
def test_texts(text: str, answer: str, thinking: str, unfinished: bool) -> None:
    assert split(text) == Spoken(answer, thinking, bool(unfinished))


@pytest.mark.parametrize(
    "text",
    [
        "Put it between `<think>` and `</think>`.",
        "```xml\n<think>\nhm\n</think>\n```\nThat is how.",
        "1. Open:\n   ```\n   <think>\n   ```\n2. Go on.",
        "The tag <think> opens it.",
        "Close it by </think>.",
        "## Thinking\nA poem about thinking.",
        "a\n<details>\n<summary>more</summary>\nb\n</details>\nc",
        "He wrote [thinking] and [/thinking].",
        "I think <b>so</b>.",
    ],
)
def test_a_text_about_marks_is_an_answer(text: str) -> None:
    assert split(text) == Spoken(text)


@given(st.text(alphabet="<>/[]|`\n think◁▷THINK", max_size=80))
def test_nothing_is_invented(text: str) -> None:
    found = split(text)
    assert set(found.answer + found.thinking) <= set(text) | {"\n"}
    assert split("<think>x</think>" + found.answer).unfinished == split(found.answer).unfinished


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["<think>", "</think>", "`<think>`", "<", "<|channel|>a<|message|>", "```\n", "</s>", "\n"],
)
def test_time_is_linear(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        gc.disable()  # it looks at all that the other tests left
        start = time.process_time()
        split(text)
        seconds = time.process_time() - start
        gc.enable()
        return seconds

    short, long = (min(seconds(length) for _ in range(5)) for length in (25_000, 400_000))
    assert long < 100 * max(short, 1e-3)  # 16 times the text; were it quadratic, 256 times the time
