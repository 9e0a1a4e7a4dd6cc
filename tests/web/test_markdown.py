"""Text of models cannot run script, load anything or break out of its box."""

import pytest

from arena.web.markdown import as_text, closed, harmless


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
    assert harmless("$a<b$ and $$c < d$$") == r"$a\lt b$ and $$c \lt  d$$"


def test_a_name_is_shown_letter_by_letter() -> None:
    assert as_text("a_b*[c](d)<e>`f`\n|g|") == r"a\_b\*\[c\](d)\<e\>\`f\` \|g\|"
