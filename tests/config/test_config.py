import re
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from arena.config import Config, load_config, load_parts, parse_model
from arena.files.strict import Strict, sentence
from arena.records import AllowCode, BackendKind
from arena.records.errors import InputError


@pytest.mark.parametrize(
    ("text", "name", "backend", "weights"),
    [
        ("smollm2", "smollm2", BackendKind.LOCAL, "smollm2"),
        ("hf:Qwen/Qwen3-0.6B", "Qwen3-0.6B", BackendKind.LOCAL, "Qwen/Qwen3-0.6B"),
        ("q=hf:Qwen/Qwen3-0.6B", "q", BackendKind.LOCAL, "Qwen/Qwen3-0.6B"),
        ("/models/my.gguf", "my", BackendKind.LOCAL, "/models/my.gguf"),
        ("openai:gpt-x", "gpt-x", BackendKind.OPENAI, "gpt-x"),
        ("openai:a/b@http://h:8000/v1", "b", BackendKind.OPENAI, "a/b"),
        ("fake:echo", "echo", BackendKind.FAKE, "echo"),
    ],
)
def test_inline_models(text: str, name: str, backend: BackendKind, weights: str) -> None:
    model = parse_model(text)
    assert (model.name, model.backend, model.weights) == (name, backend, weights)


def test_an_inline_address_is_kept_but_is_no_part_of_the_key() -> None:
    near = parse_model("openai:m@http://127.0.0.1:8000/v1/")
    far = parse_model("openai:m@https://example.org/v1")
    assert near.base_url == "http://127.0.0.1:8000/v1"
    assert near.key == far.key


@pytest.mark.parametrize(
    "text", ["qwen", "hf:", "openai:", "bad name=smollm2", "openai:m@ftp://h", "openai:m@nowhere"]
)
def test_what_is_no_model_is_an_error(text: str) -> None:
    with pytest.raises(InputError):
        parse_model(text)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        parse_model("openai:m@https://me:hunter2@example.org/v1")
    assert "hunter2" not in str(caught.value)


def read(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "arena.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_models_of_the_file_have_its_names_and_settings(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "models:\n  a: smollm2\n  b: {use: 'openai:x', base_url: 'http://h/v1', "
        "api_key_env: K, temperature: 0.5, family: F}\n",
    )
    a, b = config.candidates().values()
    assert (a.name, b.name, b.decoding.temperature, b.family) == ("a", "b", 0.5, "F")
    assert (b.base_url, b.api_key_env) == ("http://h/v1", "K")
    assert config.model("b") == b


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("true", AllowCode.CONTAINER),
        ("container", AllowCode.CONTAINER),
        ("unsafe", AllowCode.UNSAFE),
        ("false", None),
    ],
)
def test_code_is_allowed_by_a_word_or_by_yes(
    tmp_path: Path, text: str, allowed: AllowCode | None
) -> None:
    (entry,) = read(tmp_path, f"benchmarks: [{{task: code, allow_code: {text}}}]\n").benchmarks
    assert entry.allow_code is allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "modles: {}\n",
            "arena.yaml:1: modles: unknown key, did you mean models; allowed here: app, ",
        ),
        ("limit: 0\n", "arena.yaml:1: limit: 0: must be at least 1"),
        (
            "models:\n  a:\n    use: smollm2\n    temperature: 3\n",
            "arena.yaml:4: models.a",
        ),
        ("models: {a: nonsense}\n", "'nonsense'"),
        ("rank: {evidence: votes}\n", "arena.yaml:1: rank.evidence: 'votes': must be 'human', "),
        (
            "judges: [{judge: x, order: 1}]\n",
            "order: unknown key, did you mean mode; allowed here: baseline, judge",
        ),
        ("app: {trusted_proxies: [proxy]}\n", "'proxy'; it must be an address or a network"),
        ("app: {hosts: ['https://a.b']}\n", "'https://a.b'; it must be a name alone"),
        ("app: {framed_by: ['a.b; script-src *']}\n", "it must be a site alone, such as https://"),
        (
            "benchmarks: [{task: code, allow_code: 1}]\n",
            "allow_code: 1: must be 'container' or 'unsafe'",
        ),
        ("a: [1\n", "not YAML"),
        ("models:\n  a: smollm2\n  a: smollm2\n", "arena.yaml:3: the key 'a' is there twice"),
        ("- 1\n", "arena.yaml"),
    ],
)
def test_errors_name_file_line_field_value_and_what_is_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_that_is_wrong_is_told_at_once_from_the_top_on(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "limit: 0\nport: x\nrank: {evidence: votes}\nmodels: {a: no}\n")
    told = str(caught.value)
    assert "\n" not in told
    first, second, third, last = told.split("; " + str(tmp_path))
    assert "arena.yaml:1: limit: 0: must be at least 1" in first
    assert ":2: port: 'x': must be a whole number" in second
    assert ":3: rank.evidence: 'votes'" in third
    assert ":4: models.a: false: must be a mapping" in last


def test_each_model_that_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'nonsense'.*; .*'neither'"):
        read(tmp_path, "models: {a: nonsense, b: neither}\n")


def test_of_many_mistakes_the_first_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":5: e: unknown key.*; and 2 more$"):
        read(tmp_path, "".join(f"{key}: 1\n" for key in "abcdefg"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_bytes(b"title: \xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load_config(tmp_path / "bad.yaml")


@pytest.mark.parametrize("name", ["demo.yaml", "arena.yaml"])
def test_the_shipped_configurations_are_valid(name: str) -> None:
    path = Path(__file__).resolve().parents[2] / "data" / name
    assert load_config(path).candidates()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", ":1: must be a mapping of keys"),
        (b"hello", ":1: must be a mapping of keys"),
        (b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (k, k, b", ".join([b"*%c" % (k - 1)] * 10)) for k in b"bcdefg"
        ), "more than 100,000 values"),
        (b"a: &a [*a]", "more than 100,000 values"),
        (b"title: " + b"[" * 5000, "nested too deeply"),
        (b"title: 2024-99-99", "not YAML that can be read: month must be"),
        (b"? [a, b]\n: c", ":1: a key must be a text"),
        (b"title: a\0b", ":1: a NUL byte"),
        (b'title: "\\ud83d"', ":1: half a character"),
        (b"title: \x01", "not YAML: "),
        ("title: 我们的模型竞技场\nmodel: x".encode("gb18030"), ":2: model: unknown key"),
        ("title: x\nmodel: x".encode("utf-16"), ":2: model: unknown key"),
        (b"title: caf\xe9", ":1: not UTF-8; save it as UTF-8"),
    ],
)  # fmt: skip
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "arena.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_read_whole_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.files.encodings.LARGEST_TEXT", 2**20)
    (tmp_path / "arena.yaml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(InputError, match="larger than 1 MiB"):
        load_config(tmp_path / "arena.yaml")


BAD = "models: {a: {use: 'fake:echo', max_tokens: much}}\nrank: {cap: [1, 2, 3]}\ntitel: x\n"


@pytest.mark.parametrize(
    ("needs", "told", "refused"),
    [
        ((), ["models.a.max_tokens: 'much': must be", "rank.cap: [1, 2, 3]: must be", "titel"], ""),
        (("models",), [], "models.a.max_tokens"),
        (("rank",), [], "rank.cap"),
        (("judges",), [], "did you mean title"),
    ],
)
def test_a_bad_part_stops_only_who_needs_it(
    tmp_path: Path, needs: tuple[str, ...], told: list[str], refused: str
) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text(f"db: own.db\n{BAD}")
    if refused:
        with pytest.raises(InputError, match=refused.replace(".", r"\.")):
            load_parts(file, needs)
        return
    config, problems = load_parts(file, needs)
    assert config.db == "own.db"
    assert config.models == {}
    said = "\n".join(problems)
    assert [part for part in told if part not in said] == []
    file.write_text("db: [1]\n")
    with pytest.raises(InputError, match="db"):
        load_parts(file, ())


@pytest.mark.parametrize(
    "text",
    [
        "judges: {a: b}",
        "judges: [[1]]",
        "models: [a]",
        "models: {a: [1]}",
        "models: {a: {use: 1, price: 3}}",
        "benchmarks: [{task: a, needle: {lengths: 3}}]",
        "benchmarks: [{task: a, allow_code: 4}]",
        "benchmarks: [{}]",
        "app: {hosts: 1, trusted_proxies: [x]}",
        "app: [1]",
        "rank: {weights: 1}",
        "publish: [1]",
        "limit: many",
        "prompts: core",
        "port: 70000",
        "title: [1]",
    ],
)
def test_no_words_of_a_library_are_in_messages(tmp_path: Path, text: str) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        load_config(file)
    for word in (
        "Input should",
        "valid",
        "instance",
        "tuple",
        "dict",
        "pydantic",
        "cannot be used",
    ):
        assert word not in str(refused.value)


@pytest.mark.parametrize(
    ("use", "said"),
    [("fake:parrot", "no fake model named 'parrot'"), ("fake:echo@soon", "seconds")],
)
def test_a_fake_that_is_none_is_refused_at_its_line_and_hides_no_other(
    tmp_path: Path, use: str, said: str
) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text(f"models:\n  a: fake:echo\n  b: {use}\n")
    with pytest.raises(InputError, match=said) as refused:
        load_config(file)
    assert "arena.yaml:3: models.b.use" in str(refused.value)
    config, _ = load_parts(file, ())
    assert list(config.models) == ["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("publish: true", "1: publish: true: must be text, or must be false"),
        (
            "rank: {confidence: 95}",
            "confidence: 95: must be more than 0 and less than 1, such",
        ),
        ("rank: {cap: 3}", "rank.cap: 3: must be more than 0 and at most 1"),
        ("models: {a: smollm2", "arena.yaml:1: not YAML: a { that begins here is not closed"),
        ("title: t\nrank: {cap: 1\nlimit: 3", "yaml:2: not YAML: a { that begins here is not clo"),
        ("title: 'x\nlimit: 3", "arena.yaml:1: not YAML: a quote that begins here is not closed"),
        ("title: a: b", "arena.yaml:1: not YAML: a colon where no key can stand"),
    ],
)
def test_what_is_wrong_is_told_once_and_in_our_words(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_config(file)
    assert said in str(refused.value)
    assert str(refused.value).count("arena.yaml") == 1
    assert not re.search(r"literal|\.str|<scalar>|False", str(refused.value))


def test_one_character_is_no_plural() -> None:
    class Named(Strict):
        name: Annotated[str, Field(min_length=1)]
        tags: Annotated[list[str], Field(max_length=2)]

    with pytest.raises(ValidationError) as refused:
        Named.model_validate({"name": "", "tags": ["a", "b", "c"]})
    assert [sentence(one) for one in refused.value.errors()] == [
        "'': must have at least 1 character",
        "['a', 'b', 'c']: must have at most 2 entries",
    ]
