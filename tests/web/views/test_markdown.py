"""Text of models cannot run script, load anything or break out of its box."""

from html import unescape

import pytest

from arena.web.views.markdown import as_text, brief, closed, harmless, shortened, with_raw


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)>",
        "<style>body{display:none}</style>",
        "$ 5 <script>alert(1)</script> $ 6",
        "$<script>x</script>$",
        r"\(<script>x</script>\)",
        "> <iframe src='http://evil.example'>",
        "`a\n\n<script>x</script>\n\n`",
        "<https://evil.example>",
        "&lt;<b>",
    ],
)
def test_no_tag_is_left_outside_code(text: str) -> None:
    shown = harmless(text)
    assert "<" not in shown.replace(r"\lt", "")


@pytest.mark.parametrize(
    "text", ["![x](http://evil.example/x.png)", "![x][1]\n\n[1]: http://evil.example/x.png"]
)
def test_no_picture_is_loaded(text: str) -> None:
    assert "![" not in harmless(text)


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<b>bold</b>\n```",
        "~~~\n<a>\n~~~",
        "Use `<b>` and ``a ` <i>`` here.",
        "- item\n\n  ```py\n  a < b\n  ```",
        "```\nnever closed <b>",
    ],
)
def test_code_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```\na", "\n```"),
        ("- item\n\n  ~~~~py\n  a", "\n  ~~~~"),
        ("> ```\n> a", "\n> ```"),
        ("```\na\n```\nb", ""),
        ("```\na\n```", ""),
        ("`a` b", ""),
        ("", ""),
    ],
)
def test_a_block_of_code_that_was_left_open_ends_before_what_follows(text: str, end: str) -> None:
    assert closed(text) == text + end
    assert closed(closed(text)) == closed(text)


def test_mathematics_keeps_its_meaning() -> None:
    assert harmless("$a<b$ and $$c < d$$") == r"\(a\lt b\) and $$c \lt  d$$"
    assert harmless("It costs $5, not $6.") == "It costs $5, not $6."


def test_a_name_is_shown_letter_by_letter() -> None:
    assert as_text("a_b*[c](d)<e>`f`\n|g|") == r"a\_b\*\[c\](d)\<e\>\`f\` \|g\|"


@pytest.mark.parametrize(
    "text", ["a\n  b", "</pre><b>", "$5 \\( $$ &lt; \\) `x`", "```\nopen", "- ```\n  x", "\n\nx"]
)
def test_a_text_stands_beside_its_markdown_as_it_was_written(text: str) -> None:
    shown = with_raw(harmless(text), text)
    formatted, _, raw = shown.partition('<pre class="raw">\n')
    assert formatted.startswith(harmless(text))
    assert raw.endswith("</pre>")
    assert not set("<$\\") & set(raw.removesuffix("</pre>"))  # nothing in it has an effect
    assert unescape(raw.removesuffix("</pre>")) == text


def test_a_long_text_is_cut_where_it_is_said() -> None:
    said = "{shown} of {length}"
    whole = "word " * 6_000
    assert shortened(whole, said) == harmless(whole)
    cut = shortened("```\n" + "<b>\\(" * 200_000, said)
    shown, _, note = cut.rpartition("\n\n")
    assert note == "**30,000 of 1,000,004**"
    assert shown.endswith("\n```")  # what is said stands outside of the code
    assert len(shown) == 30_004
    assert brief("<b>" * 3, said) == "<b>" * 3
    assert brief("x" * 12_000, said) == "x" * 10_000 + "\n\n10,000 of 12,000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```a`<b>", "```a`&lt;b>"),  # no fence: what follows one holds no backtick
        ("```\n<b>\n````\n<b>", "```\n<b>\n````\n&lt;b>"),
        ("~~~\n<b>\n```\n<b>", "~~~\n<b>\n```\n<b>"),
        ("`<b>``<b>`", "`<b>``<b>`"),
        ("`a\n\n<b>`", "`a\n\n&lt;b>`"),
        (r"\(a<b\[c<d\]", r"&#40;a&lt;b\[c\lt d\]"),
        (r"\(\(<\)<", r"\(\(\lt \)&lt;"),
        ("```mermaid\n<b>\n```", "``` mermaid\n<b>\n```"),
        ("$5 and <b> $6", "$5 and &lt;b> $6"),
        ("$a\n<b$", "$a\n&lt;b$"),
        ("$$a<" + "b" * 2100 + "$$<", "&#36;&#36;a&lt;" + "b" * 2100 + "&#36;&#36;&lt;"),
    ],
)
def test_where_code_and_mathematics_begin_and_end(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*3*4", "2&#42;3&#42;4"),
        ("2**3**4", "2&#42;&#42;3&#42;&#42;4"),
        ("(a)*2*(b)", "(a)&#42;2*(b)"),
        ("长*宽*高", "长&#42;宽&#42;高"),
        ("3~5天，7~10天", "3&#126;5天，7&#126;10天"),
        ("~5 and (~7)", "&#126;5 and (&#126;7)"),
        ("- a\n    - 2*3*4", "- a\n    - 2&#42;3&#42;4"),
    ],
)
def test_a_mark_inside_a_word_or_a_sum_is_no_emphasis(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "*one*, **two** and ~~three~~",
        "这是**重点**内容，使用**GPU**加速",
        "* item\n* another",
        r"2\*3\*4",
        "https://example.com/~me?a*b*c",
        "\n    a = b*c*d  # code",
    ],
)
def test_emphasis_addresses_and_indented_code_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text
