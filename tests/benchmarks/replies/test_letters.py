# ruff: noqa: E501
"""The option that a reply picks, in the many forms in which models write it."""

import pytest

from arena.benchmarks.replies.letters import Unread, pick

CITIES = ("Paris", "London", "Rome", "Berlin")

# Each names B, and nothing else, as its answer.
PICKS_B = [
    # The letter alone, in every dress.
    "B", "b", " B ", "B.", "b.", "B)", "(B)", "(b)", "[B]", "{B}", "B:", "B\n", "\nB", "**B**",
    "__B__", "*B*", "`B`", '"B"', "“B”", "'B'", "「B」", "【B】", "《B》", "Ｂ", "（Ｂ）", "ｂ", "$B$", "\\(B\\)",
    "\\[B\\]", "$$B$$", "$\\text{B}$", "$\\textbf{(B)}$", "$\\mathbf{B}$", "$\\mathrm{B}$",
    "\\text{(B)}", "$\\left(\\text{B}\\right)$", "<b>B</b>", "**(B)**", "B</s>", "B<|im_end|>",
    "B<|eot_id|>", "B<|endoftext|>", "Option B", "option b", "Option (B)", "Choice B", "选项B", "选项 B。",
    # The letter first, then its text or reasons.
    "B. London", "B) London", "(B) London", "B: London", "B - London", "B – London", "B、London",
    "**B. London**", "**B**: London", "B London", "B\n\nLondon is the capital.", "B (London)",
    "B, because London is the capital.", "B because it is the capital.", "B，因为伦敦是首都。", "B。伦敦是首都",
    "B. London. Option C is the capital of Italy.", "B) London\n\nA) Paris is in France.",
    "b) London", "b. London", "(b) London is the capital.",
    # Declared, in English.
    "The answer is B", "The answer is b.", "the answer is (b)", "The answer is: B", "Answer: B",
    "ANSWER: b", "ANSWER: [B]", "ANSWER: (B) 36", "Answer: $B", "Answer: $B$", "Answer - B",
    "Answer = B", "Answer -> B", "answer: b) London", "**Answer:** B", "**Answer: B**",
    "**Answer**: B", "*Answer*: **B**", "### Answer\nB", "## Final Answer\n\n**B**",
    "**Final Answer**\n\n(B)", "Final answer: B</s>", "The final answer is $\\boxed{B}$.",
    "The correct answer is B.", "The correct answer is option B.", "The correct option is B.",
    "The right choice is (B).", "The best option is **B: London**", "My answer is B.",
    "The answer is **B**.", 'The answer is "B".', "The answer is ‘B’.", "The answer would be B.",
    "The answer must be B.", "The answer should be B.", "The answer is therefore B.",
    "The answer is clearly B.", "The answer is most likely B.", "The answer is option (B).",
    "The answer is choice B.", "The answer is the letter B.", "The answer to the question is B.",
    "The correct answer to this question is: B", "The correct answer here is B.",
    "The correct answer is:\n\nB", "The answer is:\n(B) London", "Answer: Option (B)",
    "Answer: I think it is B", "Answer: The correct option is B", "So the answer is B: London.",
    "Therefore, the answer is (B).", "Thus the correct choice is B.", "Hence, B is the answer.",
    "B is the answer.", "B is the correct answer.", "Option B is the correct answer.",
    "(B) is the right choice.", "**B** is the best answer.", "B is clearly the right option.",
    "#### B", "The answer is\n#### B", "Answer:B", "answer:b", "Ans: B", "Answer (B)",
    "Answer: (B) London\nLet me know if you need more.", "The answer is B, London.",
    "The answer is London.", "Answer: London", "The correct answer is London, not Paris.",
    "London", "london.", "**London**", "It is London.", "The capital of England is London.",
    # Leaning to it.
    "I would choose B.", "I choose B", "I pick option B.", "I'd go with B.", "I select (B).",
    "So it is B.", "It is B.", "It's B.", "It must be B.", "That would leave A and C, so B.",
    "Therefore B.", "Option B is correct.", "B is correct.", "(B) is correct", "B is right.",
    "London, so it should be B.",
    # Declared, in Chinese.
    "答案：B", "答案:B", "答案: B", "答案是B", "答案是 B。", "答案为B", "答案为：B", "答案选B", "答案应该是B", "答案应为B",
    "正确答案是B。", "正确答案：Ｂ", "正确答案为（B）", "正确选项为B", "正确选项是B，选项D不对。", "最佳答案是B", "【答案】B", "【答案】Ｂ",
    "【答案】：B", "答案就是B", "选B", "选B。", "选择B", "故选B", "故选：B", "故选B项", "因此选B", "所以选B。", "应选B", "应该选B", "本题选B",
    "我选B", "我选择B选项", "选项B正确", "B选项正确", "B项正确。", "B正确", "B是正确的", "B是正确答案", "所以是B", "最合适的选项是B",
    "答案是（Ｂ）伦敦", "答案是“B”", "答案是**B**", "根据题意，答案是B。",
    # Boxes.
    "\\boxed{B}", "$\\boxed{B}$", "$\\boxed{\\text{B}}$", "\\boxed{\\textbf{(B)}}", "\\boxed{(B)}",
    "\\boxed{b}", "\\boxed{B. London}", "\\boxed{\\text{(B) London}}", "\\boxed{\\mathrm{B}}",
    "\\boxed{{B}}", "\\boxed{\\textbf{(B)}\\ \\text{London}}", "\\boxed{London}", "\\fbox{B}", "\\boxed B",
    "We rule out A and D, so $\\boxed{\\textbf{(B)}\\ \\text{London}}$", "\\[\\boxed{B}\\]",
    "\\boxed{\\text{Option B}}", "$\\boxed{\\textbf{B}}$. A and C are wrong.",
    # Structured.
    '{"answer": "B"}', '{"answer":"b"}', "{'answer': 'B'}", '{"final_answer": "B"}',
    '{"reason": "A is in France", "answer": "B"}', '{"answer": "B", "reason": "A is in France"}',
    '```json\n{"answer": "B"}\n```', '{"choice": "B"}', '{"answer": "(B)"}', '{"answer": "London"}',
    "<answer>B</answer>", "<answer>\nB\n</answer>", "<answer>(B) London</answer>", '{"答案": "B"}',
    "<think>A?</think><answer>B</answer>", '{"answer": "B. London"}', "<final_answer>B</final_answer>",
    # Thinking is not the answer.
    "<think>The answer is A.</think>B", "<think>\nA or C\n</think>\n\nThe answer is B.",
    "[THINK]A?[/THINK]B", "◁think▷A or C◁/think▷B", "It may be A.</think>\n\n**B**",
    "<thinking>A</thinking>\nB", "<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>B",
    # An answer that is declared outweighs what is said of the others.
    "The correct answer is B. Option A is incorrect because it is in France. Option D is in Germany.",
    "Answer: B\nWhy not the others? Choice A is in France and choice D in Germany.",
    "The answer is (B). Explanation: option C is not in England.",
    "**Answer: B** - option A is a distractor.", "The answer is B because A car moves.",
    "答案是B。选项A错误，选项C错误。", "正确选项为B，选项D不对。", "选B。A、C、D都不对。", "ANSWER: B. Note that A is a distractor.",
    "B is the answer. Answer A would be France.", "The answer is B (not A).", "The answer is B, not A.",
    "The answer is B, A is in France.", "The answer is B and C is wrong.", "答案是B，而不是A。",
    "The answer is B. If the question were about France, A would be right.",
    "The answer is B. It would be C if this were Italy.", "Answer: B\n\nA. Paris is in France.",
    "A is in France. C is in Italy. D is in Germany. The answer is B.", "Not A, not C: the answer is B.",
    "The answer is not A. The answer is B.", "A is wrong, so the answer must be B.",
    "A. Paris is in France.\nB. London is in England.\nC. Rome is in Italy.\n\nB",
    "A: no\nB: yes\nC: no\nD: no\nAnswer: B", "The wrong answer is A; the right answer is B.",
    "Is the answer A? No. The answer is B.", "Let me think.\n\nThe answer is B.",
    "You may think that the answer is A. However, the correct answer is B.",
    # Retractions: the last declared one counts.
    "The answer is A. Wait, no: the answer is B.", "Answer: A. No, wait.\nAnswer: B",
    "Answer: A\nCorrection: Answer: B", "The answer is A. Wait, it is B.", "\\boxed{A} Hmm. \\boxed{B}",
    "答案是A。不对，答案是B。", "Answer: this asks for a capital.\nANSWER: B", "The answer is A or C... The answer is B.",
    "The answer is A. Scratch that: B.", "The answer is A. Sorry, I meant B.", "Answer: A\n\nCorrection: B", "The answer is A (no, B)",
    "Answer: A\nOops, B.", "答案是A。更正：B", "The answer is B. Actually, A is in France.", "The answer is B. Wait, A, C and D are elsewhere.",
    "B\n\nHuman: foo\nAssistant: The answer is C", "The answer is B.\n\nUser: Next question\nThe answer is C.", "B<|eot_id|><|start_header_id|>user: C",
    "B\n\n用户：下一题\n答案是C", "B\n\n### Instruction:\nThe answer is C.",
    # A base model that goes on with a question of its own.
    "B\n\nQuestion: What is next?\nAnswer: C", "Answer: B\n\n问题：下一题？\n答案：C",
]  # fmt: skip

# Nothing, or several options at once, is the answer of these.
PICKS_NONE = [
    ("", Unread.EMPTY), ("  \n", Unread.EMPTY), ("<think>The answer is B", Unread.EMPTY),
    ("<think>B</think>", Unread.EMPTY), ("</s>", Unread.EMPTY),
    ("I do not know.", Unread.NONE), ("我不知道。", Unread.NONE), ("None of the above.", Unread.NONE),
    ("E", Unread.NONE), ("The answer is E.", Unread.NONE), ("\\boxed{E}", Unread.NONE),
    ("The answer is a bit complicated.", Unread.NONE), ("The answer is", Unread.NONE),
    ("The answer is C++.", Unread.NONE), ("The answer is vitamin B12.", Unread.NONE),
    ("The answer is a.k.a. a city.", Unread.NONE), ("A city that I like.", Unread.NONE),
    ("A capital is where a government sits.", Unread.NONE), ("Answer: X", Unread.NONE),
    ("The answer is D'Artagnan.", Unread.NONE), ("It is a plan B-52 aircraft.", Unread.NONE),
    ("The answer is 42.", Unread.NONE), ("\\boxed{18}", Unread.NONE), ("答案不是B", Unread.NONE),
    ("The answer is not B.", Unread.NONE), ("B is wrong.", Unread.NONE), ("不选B", Unread.NONE),
    ("B is not the answer.", Unread.NONE), ("I rule out A.", Unread.NONE), ("B错误。", Unread.NONE),
    ("It is not London.", Unread.NONE), ("B is incorrect.", Unread.NONE), ("选项B不正确", Unread.NONE),
    ("I don't think B is correct.", Unread.NONE), ("I would not choose B.", Unread.NONE),
    ("If the answer is B, then we are done.", Unread.NONE), ("A common question.", Unread.NONE),
    ("I cannot answer this.", Unread.NONE), ("Bread", Unread.NONE), ("Dublin", Unread.NONE),
    ("The answer is A. Wait, that is wrong.", Unread.TAKEN_BACK), ("The answer is A. Scratch that.", Unread.TAKEN_BACK), ("答案是A。不对。", Unread.TAKEN_BACK),
    ("A or B", Unread.SEVERAL), ("A and C", Unread.SEVERAL), ("A, C", Unread.SEVERAL), ("A/B", Unread.SEVERAL),
    ("The answer is A or B.", Unread.SEVERAL), ("The answer is A and C.", Unread.SEVERAL),
    ("The answers are A and C.", Unread.SEVERAL), ("Answer: A, C", Unread.SEVERAL),
    ("Answer: A, B, C or D", Unread.SEVERAL), ("Answer: AC", Unread.SEVERAL), ("答案：AC", Unread.SEVERAL),
    ("答案是A或B", Unread.SEVERAL), ("选A、C", Unread.SEVERAL), ("答案是A和C。", Unread.SEVERAL), ("选A还是选B", Unread.SEVERAL),
    ("The answer is either A or B.", Unread.SEVERAL), ("The answer is both A and B.", Unread.SEVERAL),
    ("\\boxed{A, C}", Unread.SEVERAL), ("\\boxed{AC}", Unread.SEVERAL), ("\\boxed{\\text{A and C}}", Unread.SEVERAL),
    ("\\boxed{A} or \\boxed{B}", Unread.SEVERAL), ("$\\boxed{A}$, $\\boxed{C}$", Unread.SEVERAL), ("\\boxed{Paris} and \\boxed{B}", Unread.SEVERAL),
    ("A B C D", Unread.SEVERAL), ("Answer: A C", Unread.SEVERAL), ("A B C D.", Unread.SEVERAL), ("I am unsure.\nUser: And now?\nAnswer: B", Unread.NONE),
    ('{"answer": ["A", "C"]}', Unread.SEVERAL), ("<answer>A, C</answer>", Unread.SEVERAL),
    ("Paris or Rome", Unread.SEVERAL), ("I think A or B", Unread.SEVERAL), ("(A) and (C)", Unread.SEVERAL),
    ("The answer is not A; B and C are close.", Unread.SEVERAL), ("Paris, London, Rome, Berlin", Unread.SEVERAL),
    ("The options are A, B, C and D.", Unread.SEVERAL), ("A. Paris\nB. London\nC. Rome\nD. Berlin", Unread.SEVERAL),
]  # fmt: skip

PICKS_B += [
    "B\n\nExplanation: in France, A is correct, and it is C in Italy.", "**B**\nSo A is out.",
    "C\n\nWait, it is B.", "(B)\n\nTherefore A would be France.",
    # The same in other words and marks.
    "The answer is B) London", "Answer: **(B)** London", "**Answer: B.** London is…", "My final answer: B", "Final Answer: B.",
    "Final Answer is B", "The final answer is (B).", "So, the final answer is B!", "Therefore, option B is correct.",
    "Therefore, the correct option is (B) London.", "Thus, (B).", "Hence (B) is correct.", "The correct answer is letter B.",
    "I'm confident the answer is B.", "I think the answer is B", "I believe that the correct answer is B", "My choice: B", "Choice: B",
    "Selected: B", "Option: B", "Correct option: B", "Correct: B", "Correct Answer: B", "Result: B", "Solution: B", "Conclusion: B",
    "Response: B", "B is correct because A is France.", "Choose B", "Pick B.", "Select option B", "I'd say B.", "I'd answer B",
    "It would be B", "The one that fits is B", "The most appropriate answer is B", "Among these, the best answer is B.",
    "The correct choice among the given options is B.", "答案：(B)", "答案：B. London", "答案: **B**", "答案是选项B", "答案是B选项", "正确的选项是B", "正确的答案是B",
    "正确的是B", "选项B是正确的", "应选择B", "所以答案是B。", "因此，正确答案是B：London", "综上，选B", "综上所述，答案为B", "故答案为B", "故答案为：B", "故正确答案为B", "我的答案是B", "我认为是B",
    "B选项是正确答案", "B 正确", "只有B正确", "本题正确答案为B。", "答案为【B】", "答案：\nB", "答案\nB", "【解析】A在法国。【答案】B", "【答案】B【解析】A在法国，C在意大利。", "答：B", "答：选B", "解：选B。",
    "Answer\n\nB", "ANSWER\nB", "Answer: \\text{B}", "Answer: \\(B\\)", "Answer: $\\mathbf{B}$", "The answer is $\\mathrm{B}$.",
    "$\\boxed{\\text{B. London}}$", "\\boxed{\\text{B}: London}", "$$\\boxed{\\text{(B)}}$$", "Final: B", "B!", "B?", "B，", "B;", "B…",
    "B...", "B\r\n", "\u200bB", "B\ufeff", "[[B]]", "<B>", "((B))", "The answer is [[B]].", "answer=B", "answer => B", '"B"',
    '{"Answer": "B"}', '{"correct_answer":"B"}', '{"answer": {"letter": "B"}}', '{"option": "B"}', '{"letter":"B"}', '{"result": "B"}',
    '{"selected": "B"}', '{"prediction":"B"}', 'answer: "B"', "- Answer: B", "> B", "1. B", "* B", "# B", "The answer is B; A and C are not.",
    "The answer is B, since A, C, and D are elsewhere.", "A? No. B? Yes. The answer is B",
    "A is not correct. B is correct. C is not correct.", "Not A. Not C. Not D. B.", "Eliminating A, C and D leaves B.",
    "A and C are wrong, D is wrong, so B", "The answer is B\n\nA: Paris\nC: Rome", "B. London\nA is wrong.\nC is wrong.",
    "Answer: B or, in words, London", "The answer is probably B", "The answer is likely B", "The answer has to be B",
    "The answer can only be B", "The answer seems to be B", "The answer appears to be B", "The answer turns out to be B", "Answer is B",
    "ans: B", "Ans. B", "B is my answer.", "B is my final answer", "I'll go with B", "I will go with option B.", "I'm going with B",
    "Going with B.", "The answer is B</answer>", "<answer>B", "<ANSWER>B</ANSWER>", "<choice>B</choice>", "<final>B</final>",
    "<option>B</option>", "The answer is A... no, B.", "The answer is A. Actually, it's B.", "The answer is A, wait, B.",
    "Answer: A\n\nHold on. Rechecking.\n\nAnswer: B", "B<|end|>", "B<end_of_turn>", "B<｜end▁of▁sentence｜>", "B [END]",
    "The answer is: b) London", "the correct answer is b", "Correct answer: b. London", "选b", "答案是b", "The answer is Ｂ.", "ANSWER:Ｂ", "答案：ｂ",
    "The capital of England is London (B).", "London (B)", "London, B", "It's London, which is option B.", "The answer is London (option B).",
    "The right answer is London, i.e. B.", "Option B: London", "Option B, London", "Option B is the answer because A is in France",
    "I choose option B: London because A is Paris.", "The answer is B, A and C are wrong.",
    "The answer is B; A, C and D are in other countries.", "答案是B，A、C、D错误",
]  # fmt: skip

UNREAD = [
    "The answer could be A, B, C or D.", "It depends.", "All of the above", "Both A and B are correct.", "A, B and C", "None of A, B, C, D",
    "I can't decide between A and B", "A) Paris\nB) London", "Option C is in Italy.", "Which is it, A or B?", "Should I answer B?",
    "The options are:\nA. Paris\nB. London\nC. Rome\nD. Berlin", "A plan.", "I", "I think so.", "As an AI I cannot", "ABCD", "As A student",
    "It is a B2B product", "Grade A work", "Vitamin C is healthy", "Hepatitis B is a disease", "C is a programming language",
    "The answer is neither A nor B.", "A不对，B也不对", "The answer isn't B", "Answer: not B", "E. Dublin", "The answer is (E).", "以上都不对", "A和B都对",
    "答案是A、B", "<answer></answer>", '{"answer": null}', '{"answer": ""}', "\\boxed{}", "The answer is I don't know",
    "B is false; A is false; C is false.", "Let's consider option B.", "First, look at A.", "Let me check option A first",
    "Question: which? A. Paris B. London", "A and C are correct.", "A, B and C are all correct.",
]  # fmt: skip

PICKS_B += [
    # Each option judged in turn, and the one that is right.
    "A. Incorrect. B. Correct. C. Incorrect. D. Incorrect.", "A: wrong\nB: right\nC: wrong\nD: wrong", "A) ❌\nB) ✅\nC) ❌\nD) ❌",
    "Option A: Incorrect\nOption B: Correct\nOption C: Incorrect\nOption D: Incorrect", "A ✗ B ✓ C ✗ D ✗", "A错误，B正确，C错误，D错误",
    "(A) Paris: no.\n(B) London: yes.\n(C) Rome: no.\n(D) Berlin: no.",
    # A last line that gives again what was named before.
    "(A) Paris: no.\n(B) London: it is.\n(C) Rome: no.\n\n(B) London", "A. Paris\nB. London\nC. Rome\nD. Berlin\n\nLondon.",
    # "A:" before an answer.
    "A: B", "A: London", "Q: What is it?\nA: B", "Q: What is it?\nA: (B)",
    # One before another.
    "B rather than A.", "B instead of A", "I prefer B to A.", "A is close, but B is better.", "A is plausible, but B is more accurate.",
    # Another case, and what others may say.
    "Answer: B\n\nIf the question asked for France, the answer would be A.", "Answer: B. (If it were France the answer would be A.)",
    "The answer is B. For Italy, the answer would be C.", "The answer is B. You might think the answer is A.", "If that is so, the answer would be B.",
    "The answer is B. The second best answer is C.", "The answer is B. Some students may say that the correct answer is A.",
    "A... wait, no. B.", "A. No wait, B.", "The answer is ~~A~~ B.", "~~Answer: A~~ Answer: B",
    # Small letters, other words, other languages, other brackets.
    "option b is correct", "b is correct.", "b is the answer", "b is right", "letter b", "ans b", "B it is.", "B for sure", "Only B remains.",
    "Eliminating A, C, D, we get B.", "A is Paris. C is Rome; D is Berlin. Only B remains.", "答え：B", "答えはBです。", "正解はBです。", "정답은 B입니다.",
    "<|answer|>B", "[ANSWER]B[/ANSWER]", "<ans>B</ans>", "〖B〗", "〔B〕", "\\boxed{\\large B}", "\\boxed{\\bf B}", "<|assistant|>B", "London. It is in England.",
]  # fmt: skip
UNREAD += [
    "Options: A B C D", "The correct answer cannot be B.", "B > A", "A. Correct. B. Correct. C. Incorrect. D. Incorrect.",
    "A ❌ B ❌ C ❌ D ❌", "Paris, London", "Q: A or B?\nA: neither",
]  # fmt: skip


@pytest.mark.parametrize("reply", PICKS_B)
def test_a_reply_that_picks_the_second(reply: str) -> None:
    assert pick(reply, CITIES).option == 1


@pytest.mark.parametrize(("reply", "why"), PICKS_NONE)
def test_a_reply_that_picks_none_or_several(reply: str, why: Unread) -> None:
    assert pick(reply, CITIES).why is why


@pytest.mark.parametrize("reply", UNREAD)
def test_what_mentions_options_and_picks_none(reply: str) -> None:
    assert pick(reply, CITIES).option is None


@pytest.mark.parametrize("count", range(1, 27))
def test_any_number_of_options_has_its_letters(count: int) -> None:
    choices = [f"city {k}" for k in range(count)]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[count - 1]
    for reply in (
        last,
        last.lower(),
        f"The answer is {last}.",
        f"\\boxed{{{last}}}",
        f"答案：{last}",
    ):
        assert pick(reply, choices).option == count - 1


@pytest.mark.parametrize(
    ("reply", "choices", "option"),
    [
        ("A Tale of Two Cities", ("Emma", "A Tale of Two Cities"), 1),
        ("The answer is A Tale of Two Cities.", ("Emma", "A Tale of Two Cities"), 1),
        ("A. Lincoln", ("G. Washington", "A. Lincoln"), 1),
        ("New York", ("York", "New York"), 1),
        ("It is in New York.", ("York", "New York"), 1),
        ("36", ("35", "36"), 1),
        ("\\boxed{36}", ("35", "36"), 1),
        ("The answer is 36.", ("35", "36"), 1),
        ("The answer is $\\frac{1}{2}$.", ("\\frac{1}{3}", "\\frac{1}{2}"), 1),
        ("\\boxed{\\frac12}", ("\\frac{1}{3}", "\\frac{1}{2}"), 1),
        ("1,200", ("120", "1{,}200"), 1),
        ("True", ("False", "True"), 1),
        ("x^3", ("$x^2$", "$x^3$"), 1),
        ("\\boxed{x³}", ("$x^2$", "$x^3$"), 1),
        ("Yes, because no other would do.", ("Yes", "No"), 0),
        ("The answer is not true, so False.", ("True", "False"), 1),
        ("北京", ("上海", "北京"), 1),
        ("答案是北京。", ("上海", "北京"), 1),
        ("不是上海，是北京", ("上海", "北京"), 1),
        ("这是不正确的", ("正确", "错误"), None),
        ("这个说法不对", ("对", "错"), None),
        ("我不同意。", ("同意", "反对"), None),
        ("这是不正确的", ("正确", "不正确"), 1),
        ("Paris is not the capital.", ("Paris", "Rome"), None),
        ("Paris is wrong, Rome fits.", ("Paris", "Rome"), 1),
        ("B B B B", ("Paris", "Rome"), 1),
    ],
)
def test_an_option_is_picked_by_its_text(
    reply: str, choices: tuple[str, ...], option: int | None
) -> None:
    assert pick(reply, choices).option == option
