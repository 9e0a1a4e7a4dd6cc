"""What gives a model away in its answer, and what only looks like it."""

import json
from dataclasses import replace

import pytest

from arena.config import parse_model
from arena.leaderboard.evidence.identity import identity_claim, names_of
from tests.conftest import DATASETS


@pytest.mark.parametrize(
    "text",
    [
        "I am ChatGPT, a large language model trained by OpenAI.",
        "As an AI language model developed by OpenAI, I cannot do that.",
        "Hello! I'm Claude, made by Anthropic. How can I help?",
        "I’m DeepSeek-V3, an AI assistant.",
        "My name is Qwen.",
        "i am gpt-4",
        "I was created by Alibaba Cloud to help.",
        "I am an open-source assistant called Vicuna.",
        "I'm Google's language model.",
        "As Gemini, I can't say.",
        "My creators at Anthropic told me so.",
        "你好！我是通义千问，由阿里云开发。",
        "我是由阿里云训练的语言模型。",
        "作为OpenAI训练的人工智能助手，我无法回答。",
        "我叫豆包。",
        "我是DeepSeek的智能助手",
    ],
)
def test_a_claim_is_found(text: str) -> None:
    found = identity_claim(text)
    assert found is not None
    assert found in " ".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "As an AI language model, I cannot answer.",
        "Qwen is a family of models by Alibaba, and GPT-4 was made by OpenAI.",
        "As a language model developed by OpenAI, GPT-4 can write.",
        "I am a koala. I'm a Gemini, born in June.",
        '"I am Claude," said the butler.',
        "`print('I am ChatGPT')`",
        "I am Claude Monet, and I paint.",
        "I am happy with Google. I am an engineer at Google.",
        "I was told by Google that it expired. I was hired by Microsoft.",
        "I am not ChatGPT.",
        "If I were Claude, I would say so.",
        "作为谷歌推出的AI模型，Gemini 能够写作。",
        "我在谷歌上搜索。我是学生，喜欢用百度。",
        "\x000\x01 I am",
    ],
)
def test_what_is_no_claim_is_left_alone(text: str) -> None:
    assert identity_claim(text) is None


def test_what_the_prompt_said_is_no_claim_of_the_answer() -> None:
    asked = "Translate: I am ChatGPT. Then play Claude, my neighbour."
    assert identity_claim("Sure: I am ChatGPT. Je suis content.", asked) is None
    assert identity_claim("Hi, I am Claude. Nice weather!", asked) is None
    assert identity_claim("I'm Claude.", asked, ("Claude",)) == "I'm Claude"
    assert identity_claim("I am Qwen, and GPT is another.", "What is Qwen?") == "I am Qwen"


def test_a_model_has_names_of_its_own() -> None:
    model = replace(parse_model("weaver=openai:lab/Nightjar-7B@http://x/v1"), family="Nightjar")
    names = names_of(model)
    assert {"Nightjar", "weaver"} <= set(names)
    assert identity_claim("I am Nightjar.", names=names) == "I am Nightjar"
    assert identity_claim("Nightjar-7B: hello", names=names) is not None
    assert identity_claim("The nightjar is a bird.", names=names) is None
    assert identity_claim("I am Nightjar.") is None
    assert names_of(replace(parse_model("fake:echo"), name="short")) == ()


def test_no_answer_of_llmfao_is_taken_for_a_claim() -> None:
    path = DATASETS / "llmfao_pairs.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with path.open(encoding="utf-8") as stream:
        pairs = [json.loads(line) for line in stream]
    answers = {(p[f"model_{s}"], p["text"], p[f"answer_{s}"]) for p in pairs for s in "ab"}
    assert len(answers) > 700
    found = [identity_claim(answer, prompt, (model,)) for model, prompt, answer in answers]
    assert set(found) == {None}
