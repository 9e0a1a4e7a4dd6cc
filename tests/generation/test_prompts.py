import json
import re
from collections import Counter
from pathlib import Path

import pytest

from arena.generation.prompts import load_prompts, prompt_sets, read_prompts
from arena.records.errors import InputError, UnknownNameError


def test_the_core_set_is_what_the_readme_says(tmp_path: Path) -> None:
    prompts = load_prompts(["core"], tmp_path)
    assert len(prompts) >= 160
    assert len({prompt.key for prompt in prompts}) == len(prompts)
    languages = Counter(prompt.language for prompt in prompts)
    assert languages["en"] == languages["zh"]
    assert len({prompt.category for prompt in prompts}) == 10
    assert sum(len(prompt.turns) == 2 for prompt in prompts) >= 40
    assert sum(bool(prompt.references) for prompt in prompts) >= 40


def test_the_first_prompts_of_core_are_a_balanced_sample(tmp_path: Path) -> None:
    first = load_prompts(["core"], tmp_path, limit=40)
    assert set(Counter(prompt.category for prompt in first).values()) == {4}
    assert set(Counter(prompt.language for prompt in first).values()) == {20}


def test_a_users_set_comes_before_the_built_in_one(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "core.jsonl").write_text('{"id": "x", "turns": ["Mine?"]}\n')
    assert [p.turns for p in load_prompts(["core"], tmp_path)] == [("Mine?",)]
    assert next(entry.path.parent for entry in prompt_sets(tmp_path)) == folder.resolve()


def test_an_unknown_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'core'"):
        load_prompts(["cor"], tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":2: not JSON"),
        ("[]", ":2: "),
        ('{"id": "b"}', ":2: turns: is missing"),
        (
            '{"id": "b", "turn": ["q"]}',
            ":2: turn: unknown key, did you mean turns; allowed here: id, turns",
        ),
        ('{"id": "b", "turns": []}', ":2: turns: "),
        ('{"id": "b", "turns": [" "]}', ":2: turns.0: ' ': "),
        (
            '{"id": "b", "turns": ["q"], "lang": "en"}',
            ":2: lang: unknown key, did you mean language; allowed here: id, turns",
        ),
        ('{"id": "b", "turns": ["q"], "references": ["1", "2"]}', "references: 2 for 1 turns"),
        ('{"id": "a", "turns": ["q"]}', ":2: id: 'a' is also on line 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "turns": ["Hello?"]}\n' + line + "\n")
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b", "turns": []}\n{"id": "c", "turns": ["q"]}\n{\n')
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert re.findall(r"mine\.jsonl:(\d)", str(caught.value)) == ["1", "2", "4"]
    path.write_text('{"id": "a"}\n' * 9)
    with pytest.raises(InputError, match=r"jsonl:5: .*; and 4 more$"):
        read_prompts(path)


def test_separators_inside_strings_do_not_split_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "turns": ["one\u2028two"]}\n', encoding="utf-8")
    assert read_prompts(path)[0].turns == ("one\u2028two",)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n\n")
    with pytest.raises(InputError, match="empty"):
        read_prompts(path)


def test_a_list_of_objects_numbers_for_ids_and_other_encodings(tmp_path: Path) -> None:
    rows = [{"id": k, "turns": ["天空是什么颜色的？"]} for k in (1, 2.0, "x")]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    for name, encoding in (("a.json", "utf-8"), ("b.JSONL", "utf-16"), ("c.json", "gb18030")):
        (tmp_path / name).write_bytes(text.encode(encoding))
        found = load_prompts([str(tmp_path / name)], tmp_path)
        assert [p.turns[0] for p in found] == ["天空是什么颜色的？"]  # the same text is one prompt
        assert [p.name for p in read_prompts(tmp_path / name)] == ["1", "2", "x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"prompts": [{"id": "a", "turns": ["q"]}]}', "its list 'prompts' may hold the rows"),
        ('{"number": 81, "turns": ["q"]}', "number: unknown key; allowed here: id, turns"),
        ('{"id": true, "turns": ["q"]}', "id: true: must be text"),
        ('{"id": "a", "turns": "q"}', "turns: 'q': must be a list"),
        ("id,turns\na,q\n", ":1: not JSON"),
        ('{"id": "a", "turns": ["\\ud83d"]}', ":1: half a character"),
    ],
)
def test_what_is_no_prompt_file(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_language_is_a_code_in_small_letters(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "turns": ["q"], "language": "ZH"}\n')
    assert [prompt.language for prompt in read_prompts(path)] == ["zh"]


def test_a_broken_file_does_not_hide_the_other_sets(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "broken.jsonl").write_text('{"id": "1", "turn": ["x"]}\n')
    (folder / "mine.jsonl").write_text('{"id": "1", "turns": ["x"]}\n')
    found = {entry.name: entry for entry in prompt_sets(tmp_path)}
    assert "broken.jsonl:1" in found["broken"].problem
    assert (len(found["mine"].prompts), found["mine"].problem) == (1, "")
    assert found["core"].prompts
    assert load_prompts(["mine"], tmp_path)
    with pytest.raises(InputError, match=r"broken\.jsonl:1"):
        load_prompts(["broken"], tmp_path)


@pytest.mark.parametrize("name", ["exam.csv", "exam.tsv", "exam.txt"])
def test_a_table_is_told_what_it_is_taken_for(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("id,question,A,B,answer\n1,Why?,x,y,A\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"A prompt file has one JSON object a line") as error:
        load_prompts([str(file)], tmp_path)
    assert ("taken for a prompt file" in str(error.value)) == (file.suffix != ".txt")
