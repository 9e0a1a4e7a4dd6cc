# ruff: noqa: E501
"""The number that a reply gives, in the many forms in which models write it."""

from decimal import Decimal

import pytest

from arena.benchmarks.replies.number_words import NO_NUMBER
from arena.benchmarks.replies.numbers import (
    SEVERAL_NUMBERS,
    TAKEN_BACK,
    find_number,
    number,
    value_of,
)
from arena.benchmarks.replies.scoring import mark_number

GIVES = [
    # Thousands, decimals, signs, currencies, units.
    ("1,200", "1200"), ("1{,}200", "1200"), ("$\\$1{,}200$", "1200"), ("3 000", "3000"),
    ("12\u00a0345\u00a0678", "12345678"), ("1\u202f200", "1200"), ("1'200", "1200"), ("1_000", "1000"),
    ("1,00,000", "100000"), ("1.234.567", "1234567"), ("1.234,56", "1234.56"), ("3,5", "3.5"),
    ("1,234.50", "1234.5"), ("0.50", "0.5"), (".5", "0.5"), ("18.", "18"), ("18.0", "18"),
    ("−5", "-5"), ("–5", "-5"), ("—5", "-5"), ("‑5", "-5"), ("－5", "-5"), ("-5", "-5"), ("+5", "5"),
    ("-$5", "-5"), ("$-5", "-5"), ("The answer is −5 °C.", "-5"), ("$18", "18"), ("\\$18", "18"),
    ("€18", "18"), ("18 €", "18"), ("¥18", "18"), ("18元", "18"), ("US$18", "18"), ("18 dollars", "18"),
    ("5 km", "5"), ("5km", "5"), ("$5\\text{ km}$", "5"), ("90^\\circ", "90"), ("90°", "90"),
    ("32 m²", "32"), ("32 m^2", "32"), ("50%", "50"), ("50\\%", "50"), ("50 percent", "50"),
    ("**18**", "18"), ("__18__", "18"), ("`18`", "18"), ("１８", "18"), ("She makes **$18** every day.", "18"),
    # Fractions, powers of ten, words for large numbers.
    ("1/2", "0.5"), ("½", "0.5"), ("2½", "2.5"), ("2 1/2", "2.5"), ("\\frac{1}{2}", "0.5"),
    ("\\dfrac{1}{2}", "0.5"), ("\\frac12", "0.5"), ("2\\frac{1}{2}", "2.5"), ("-\\frac{1}{2}", "-0.5"),
    ("\\boxed{\\frac{1}{2}}", "0.5"), ("The answer is $\\frac{1}{2}$.", "0.5"), ("3e2", "300"),
    ("3E+2", "300"), ("1.5e-3", "0.0015"), ("3 × 10^2", "300"), ("3 x 10^2", "300"), ("3*10^2", "300"),
    ("3 \\times 10^{2}", "300"), ("$3 \\cdot 10^{-2}$", "0.03"), ("3×10²", "300"), ("3×10⁻²", "0.03"),
    ("10^3", "1000"), ("10⁵", "100000"), ("2^{10}", "1024"), ("1.5 million", "1500000"), ("2 billion", "2000000000"),
    ("3 thousand", "3000"), ("18k", "18000"), ("2万", "20000"), ("1.5万", "15000"), ("3亿", "300000000"),
    # Boxes and other declarations outweigh what else is said.
    ("\\boxed{18}", "18"), ("\\boxed{18\\text{ dollars}} per day for 7 days.", "18"), ("\\boxed{1{,}200}", "1200"),
    ("\\boxed{3 \\times 10^{2}}", "300"), ("x = \\boxed{5}. Check: 5 + 7 = 12.", "5"), ("\\boxed{x = 5}", "5"),
    ("\\boxed{\\$18}", "18"), ("\\boxed{\\text{18}}", "18"), ("\\boxed{\\mathbf{18}}", "18"), ("\\boxed{{18}}", "18"),
    ("$$\\boxed{18}$$", "18"), ("\\boxed{3} no, \\boxed{18}", "18"), ("\\boxed 5", "5"), ("\\boxed{18\\%}", "18"),
    ("#### 18", "18"), ("9*2 = 18\n#### 18", "18"), ("#### 1,234", "1234"), ("####18", "18"),
    ("The answer is 18. There are 7 days in a week.", "18"), ("Answer: 18 (not 20)", "18"),
    ("**Answer:** 18", "18"), ("### Answer\n18", "18"), ("Final Answer: The final answer is $18$. I hope it is correct.", "18"),
    ("The final answer is: $\\boxed{18}$", "18"), ("<answer>18</answer>", "18"), ('{"answer": 18}', "18"),
    ('{"answer": "18"}', "18"), ("{'answer': 18, 'steps': 3}", "18"), ("The answer to question 3 is 18.", "18"),
    ("The answer is 20. Wait, no: the answer is 18.", "18"), ("The answer is not 20 but 18.", "18"),
    ("Answer: 6*12 - 40 = 32", "32"), ("Answer: 32 = 72 - 40", "32"), ("Answer: x = 5", "5"), ("Answer: 18</s>", "18"),
    ("The wrong answer is 20. The answer is 18.", "18"), ("答案是32个。", "32"), ("答案：一共32个", "32"), ("答案为：32", "32"),
    ("【答案】32", "32"), ("答案：三十二", "32"), ("The answer is eighteen.", "18"), ("eighteen", "18"), ("twenty-five", "25"),
    ("two hundred and six", "206"), ("Answer: three thousand", "3000"), ("Minus two", "-2"), ("negative five", "-5"), ("a hundred", "100"), ("Answer: a thousand", "1000"), ("负四分之三", "-0.75"),
    ("百分之五", "5"), ("答案是二分之一。", "0.5"), ("Answer: 9 x 2 = 18", "18"), ("The answer is: <18>", "18"), ("$18 per 3 hours", "18"), ("18 (out of 20)", "18"),
    ("\\boxed{20} Wait, recheck: \\boxed{18}", "18"), ("The answer is \\boxed{17} + \\boxed{1} = \\boxed{18}", "18"),
    ("\\boxed{18}, that is, \\boxed{18}", "18"), ("First \\boxed{3}.\nThen \\boxed{18}.", "18"), ("(1,200)", "1200"),
    # Retractions: what is put in the place of the declared number counts.
    ("The answer is 20. Wait, that's wrong. It is 18.", "18"), ("The answer is 20, no, 18", "18"), ("Answer: 20\nCorrection: 18", "18"),
    ("The answer is 20. Sorry, I meant 18.", "18"), ("The answer is 20. Scratch that: 18.", "18"), ("答案是20。不对，应该是18。", "18"),
    ("\\boxed{20} Oops, it should be 18.", "18"), ("The answer is 18. Wait, let me check: 9*2 = 18.", "18"),
    ("The answer is 18. Actually, I am sure.", "18"), ("The answer is 18. They actually sold 3 of them.", "18"),
    # A base model goes on with a dialogue of its own; a reply may repeat its question as well.
    ("18\n\nQ: John has 4 apples\nA: 4", "18"), ("The answer is 18.\n\nHuman: And 5+5?\n\nAssistant: The answer is 10.", "18"),
    ("18<|im_end|>\n<|im_start|>user\n3?", "18"), ("18</s>[INST] 4? [/INST] 5", "18"), ("18\n### User: And 4?", "18"),
    ("Sure.\nQuestion: how many?\nAnswer: 18", "18"),
    # A closing tag declares nothing; a total outweighs a remark, and no later statement.
    ("<answer>18</answer> (3 steps)", "18"), ("<final_answer>18</final_answer> [2]", "18"), ("The total is 18. This took 3 steps.", "18"),
    ("The total is 20. She has 18 left.", "18"), ("The total is 20. So 18.", "18"), ("The sum is 18.", "18"), ("The result is 18.5. It took 3 steps.", "18.5"),
    ("That is 11 in total.\nI ate 1.\nI have 18.", "18"), ("So in total she has 3 x 6 = <<3*6=18>>18 sisters.", "18"),
    # Undeclared: what the last statement says it to be.
    ("The total is $\\$1{,}200$ over 3 years.", "1200"), ("6 * 12 = 72, and 72 - 40 = 32", "32"),
    ("There are 3 boxes of 6, so 18.", "18"), ("If it is 5 o'clock, she has 3 apples.", "3"),
    ("The profit is 70000 dollars.", "70000"), ("She makes $18 a day for 7 days.", "18"), ("一共32个", "32"), ("72-40=32个", "32"),
    ("<think>maybe 20</think>The answer is 18", "18"), ("[THINK]9*2 = 18, or 20?[/THINK]18", "18"),
    ("20, I guess</think>18", "18"), ("Answer: 18\n\nQuestion: 3 and 4?\nAnswer: 7", "18"),
]  # fmt: skip

GIVES_NONE = [
    ("", NO_NUMBER), ("I do not know.", NO_NUMBER), ("没有", NO_NUMBER), ("5/0", NO_NUMBER),
    ("<think>72 - 40 = 32", NO_NUMBER), ("\\boxed{2\\sqrt{3}}", NO_NUMBER), ("\\boxed{x}", NO_NUMBER),
    ("\\boxed{\\pi}", NO_NUMBER), ("H2O", NO_NUMBER), ("NaN", NO_NUMBER), ("Infinity", NO_NUMBER),
    ("The answer is 5 or 6.", SEVERAL_NUMBERS), ("The answers are 5 and 6.", SEVERAL_NUMBERS),
    ("答案是5或6", SEVERAL_NUMBERS), ("\\boxed{5, 6}", SEVERAL_NUMBERS), ("\\boxed{5 \\text{ or } 6}", SEVERAL_NUMBERS),
    ("The answer is 20. Wait, that is wrong.", TAKEN_BACK), ("The answer is 20. Hmm. Scratch that, she sold 3 of her 9 eggs.", TAKEN_BACK),
    ("答案是20。不对。", TAKEN_BACK), ("The answer is 20. I made a mistake: 9 * 3 is 27 eggs.", TAKEN_BACK),
    # A number in a formula is not the number that the reply gives.
    ("The answer is 2x", NO_NUMBER), ("2π", NO_NUMBER), ("The answer is $2\\sqrt{3}$.", NO_NUMBER), ("log 2", NO_NUMBER),
    ("The answer is \\log 2", NO_NUMBER), ("The answer is 5√2", NO_NUMBER), ("x\\leq 5", NO_NUMBER), ("x > 5", NO_NUMBER),
    ("x >= 5", NO_NUMBER), ("The answer is 3i", NO_NUMBER), ("3:4", NO_NUMBER), ("3+4i", NO_NUMBER), ("\\boxed{3!}", NO_NUMBER),
    ("\\boxed{x + 5}", NO_NUMBER), ("The answer is 3*6", NO_NUMBER), ("The answer is 17 - x", NO_NUMBER), ("10^x", NO_NUMBER),
    ("$x=18$ or $x=-18$", SEVERAL_NUMBERS), ("零分之一", NO_NUMBER),
    # Several at once, in a row, a range, a choice, or two boxes side by side.
    ("(3, 4)", SEVERAL_NUMBERS), ("\\boxed{(1,2)}", SEVERAL_NUMBERS), ("\\boxed{\\{1,2\\}}", SEVERAL_NUMBERS), ("[0; 1]", SEVERAL_NUMBERS),
    ("17-19", SEVERAL_NUMBERS), ("between 17 and 19", SEVERAL_NUMBERS), ("18 or 20", SEVERAL_NUMBERS), ("18或20", SEVERAL_NUMBERS),
    ("The answer is 17–19.", SEVERAL_NUMBERS), ("The answer is x=5 or x=-5", SEVERAL_NUMBERS),
    ("\\boxed{18} or \\boxed{20}", SEVERAL_NUMBERS), ("\\boxed{18} apples, \\boxed{20} pears", SEVERAL_NUMBERS),
    ("$x = \\boxed{5}$, $y = \\boxed{3}$", SEVERAL_NUMBERS),
    ("One can do so.", NO_NUMBER), ("One of them is right, I am quite sure of it.", NO_NUMBER),
]  # fmt: skip

GIVES += [
    # A check after the answer is none, whatever it comes to.
    ("The answer is 7. To verify: 7 + 3 = 10.", "7"), ("Answer: 7; indeed 7 * 2 = 14", "7"), ("答案是7。验算：7+3=10", "7"),
    ("The answer is 7 apples * 3 = 21.", "21"),
    # Remarks in parentheses and shares.
    ("7 (3 boys and 4 girls)", "7"), ("He bought 7 apples (3 red and 4 green).", "7"), ("(7)", "7"),
    ("So there are 12 eggs left, out of 20.", "12"), ("out of 20", "20"),
    # What something is equal to.
    ("18 = 3 × 6", "18"), ("18 = 3*6", "18"), ("The total is 18 = 3 × 6.", "18"), ("\\boxed{f(2)=42}", "42"), ("\\boxed{a_{10} = 42}", "42"),
    ("\\boxed{\\binom{5}{2} = 10}", "10"), ("\\boxed{- 7}", "-7"), ("x = - 7", "-7"),
    # Spaces of LaTeX, what is struck out, money in letters, Chinese scales one in the other.
    ("\\boxed{1\\!,\\!000}", "1000"), ("\\boxed{1,\\!000}", "1000"), ("\\boxed{\\large 42}", "42"), ("\\boxed{\\bf 42}", "42"),
    ("The answer is ~~7~~ 8.", "8"), ("$1.5M", "1500000"), ("$15K", "15000"), ("$2 B", "2000000000"), ("1.5bn", "1500000000"), ("300 K", "300"),
    ("一共1万2千元", "12000"), ("3亿5千万", "350000000"), ("2千3百", "2300"), ("The answer is 42 cm²", "42"), ("正解は42です", "42"), ("[ANSWER]42[/ANSWER]", "42"),
    ("The answer is 7. For 2 bags, the answer would be 14.", "7"), ("You might think the answer is 5. The answer is 7.", "7"),
]  # fmt: skip
GIVES_NONE += [
    ("It takes 2 hours and 30 minutes.", SEVERAL_NUMBERS), ("7 dollars and 50 cents", SEVERAL_NUMBERS), ("3小时20分钟", SEVERAL_NUMBERS),
    ("one half", NO_NUMBER), ("The answer is one third.", NO_NUMBER),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "value"), GIVES)
def test_the_number_that_a_reply_gives(reply: str, value: str) -> None:
    assert number(reply) == Decimal(value)


@pytest.mark.parametrize(("reply", "why"), GIVES_NONE)
def test_a_reply_that_gives_no_number_or_several(reply: str, why: str) -> None:
    assert (number(reply), find_number(reply).why) == (None, why)


@pytest.mark.parametrize(
    ("reply", "gold", "right"),
    [
        ("18", "18", 1.0), ("18", "#### 18", 1.0), ("18", "9 * 2 = 18\n#### 18", 1.0), ("9", "9*2\n#### 18", 0.0),
        ("1200", "1,200", 1.0), ("1200", "$1,200", 1.0), ("1200", "¥1,200", 1.0), ("5", "5 km", 1.0),
        ("6 km", "5 km", 0.0), ("-5", "−5 °C", 1.0), ("5 °C", "-5 °C", 0.0), ("50%", "50%", 1.0),
        ("50", "50%", 1.0), ("0.5", "50%", 1.0), ("50%", "0.5", 1.0), ("5%", "0.5", 0.0), ("0.5", "50", 0.0),
        ("0.5", "1/2", 1.0), ("1/3", "\\frac{1}{3}", 1.0), ("2/6", "1/3", 1.0), ("0.33", "1/3", 0.0),
        ("18", "\\boxed{18}", 1.0), ("300", "3 \\times 10^2", 1.0), ("1500000", "1.5 million", 1.0),
        ("18.00", "18", 1.0), ("nothing", "18", 0.0), ("18", "eighteen", 0.0),
        ("Janet makes $18 every day at the farmers' market.", '18', 1.0), ('The answer is 18 dollars per day.', '18', 1.0),
        ('18 eggs', '18', 1.0), ('Total: 18', '18', 1.0), ('Therefore, she makes 9 * $2 = $18 every day.', '18', 1.0),
        ('She has 16 - 3 - 4 = 9 eggs left, and 9 * 2 = 18. So she makes $18 per day at the market.', '18', 1.0),
        ('\\[ 9 \\times 2 = 18 \\]', '18', 1.0), ('\\(\\boxed{18}\\)', '18', 1.0), ('$18.00', '18', 1.0), ('18.0 dollars', '18', 1.0),
        ('The answer is \\$70,000.', '70000', 1.0), ('\\$70{,}000', '70000', 1.0), ('$70\\,000$', '70000', 1.0), ('70.000', '70000', 0.0),
        ('The answer is: 3.', '3', 1.0), ('It took 3 hours and 30 minutes.', '3.5', 0.0), ('So there are 540 meters.', '540', 1.0),
        ('He runs 3*3=9 sprints, 9*60=540 meters', '540', 1.0), ('= 540', '540', 1.0), ('540m', '540', 1.0),
        ('**Final Answer: 540**', '540', 1.0), ('The final answer is **540** meters.', '540', 1.0), ('Answer: 540.', '540', 1.0),
        ('答案：540米', '540', 1.0), ('所以答案是 540 米。', '540', 1.0), ('共540米', '540', 1.0), ('一共是540米', '540', 1.0), ('￥540', '540', 1.0),
        ('540円', '540', 1.0), ('-3.5', '-3.5', 1.0), ('x = -3.5', '-3.5', 1.0), ('x=-3.5', '-3.5', 1.0), ('$x = -3.5$', '-3.5', 1.0),
        ('negative 3', '-3', 1.0), ('about 3.14', '3.14', 1.0), ('≈ 3.14', '3.14', 1.0), ('3/4', '0.75', 1.0), ('0.75', '3/4', 1.0),
        ('75%', '3/4', 1.0), ('75%', '75', 1.0), ('$\\frac{3}{4}$', '0.75', 1.0), ('\\tfrac{3}{4}', '0.75', 1.0), ('3 over 4', '0.75', 0.0),
        ('\\boxed{-\\frac{3}{4}}', '-0.75', 1.0), ('\\boxed{\\frac{-3}{4}}', '-0.75', 1.0), ('\\boxed{\\dfrac{3}{4}}', '0.75', 1.0),
        ('1.2 \\times 10^{-3}', '0.0012', 1.0), ('1.2e-3', '0.0012', 1.0), ('1.2 x 10^-3', '0.0012', 1.0), ('1.2 × 10⁻³', '0.0012', 1.0),
        ('10^{-3}', '0.001', 1.0), ('5 million', '5000000', 1.0), ('5M', '5000000', 0.0), ('two', '2', 1.0),
        ('The answer is two hundred.', '200', 1.0), ('Answer: -2', '-2', 1.0), ('Answer:-2', '-2', 1.0), ('1 000 000', '1000000', 1.0),
        ('1,000,000', '1000000', 1.0), ('1 000,50', '1000.5', 1.0), ('12,5', '12.5', 1.0), ('2,500', '2500', 1.0), ('2.500', '2.5', 1.0),
        ('100 %', '100', 1.0), ('100', '100%', 1.0), ('$3$', '3', 1.0), ('3rd', '3', 1.0), ('No. 3', '3', 1.0), ('#3', '3', 1.0),
        ('(3)', '3', 1.0), ('[3]', '3', 1.0), ('{3}', '3', 1.0), ('3!', '3', 1.0), ('3?', '3', 1.0),
        ('answer: 3\nexplanation: 4+5=9', '3', 1.0), ('The answer is 3, because 4-1=3.', '3', 1.0), ('The answer is 4 - 1 = 3.', '3', 1.0),
        ('<answer>3</answer><explanation>9</explanation>', '3', 1.0), ('{"answer": 3, "confidence": 0.9}', '3', 1.0),
        ('{"result": 3, "confidence": 0.9}', '3', 1.0), ('3 is the answer. It took 5 steps.', '3', 1.0), ('The area is 3 cm^2', '3', 1.0),
        ('3 cm²', '3', 1.0), ('3 m/s', '3', 1.0), ('3 m/s^2', '3', 1.0), ('3 km/h', '3', 1.0), ('60 km per 2 hours', '30', 0.0),
        ('The value of x is 3.', '3', 1.0), ('x^2 = 9 so x = 3', '3', 1.0), ('Thus x ∈ {3}', '3', 1.0), ('The answer is 3:30', '3', 0.0),
        ('1/2/3', '3', 0.0), ('The answer is between 3 and 4.', '3', 0.0), ('3-4', '3', 0.0), ('±3', '3', 0.0), ('\\pm 3', '3', 0.0),
        ('\\sqrt{3}', '3', 0.0), ('I got 3 wrong', '5', 0.0),
    ],
)  # fmt: skip
def test_a_number_is_compared_as_a_number(reply: str, gold: str, right: float) -> None:
    assert mark_number(reply, [gold]).value == right


@pytest.mark.parametrize(
    "text",
    ["", "London", "5 km", "C++", "1/0", "2024-01-05", "12:30", "five", "3 or 4", "5e", "-", "$"],
)
def test_a_gold_that_is_no_number(text: str) -> None:
    assert value_of(text).value is None
