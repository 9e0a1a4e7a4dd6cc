"""Whether an answer says which model wrote it: a vote on it is not blind.

What counts is a claim about the writer (I am …, as …, I was made by …), in English or
Chinese, that names a model, a family or a maker; whose name it is does not matter, for a
wrong one sways a voter as well. Names without a claim do not count, nor do claims in
quotation marks, in code, or in the words of the prompt: answers may well speak of models.
"""

import re
from collections.abc import Sequence
from functools import cache

from arena.records import Model, content_key

# Names that mean nothing else, in any case of letters.
_CLEAR = (
    r"chat\s?gpt|gpt[-\s]?[2345]|gpt4all|gpt-neox?|gpt-j|open\s?ai|anthropic|qwen|qwq|tongyi"
    r"|alibaba(?: cloud)?|deep\s?seek|code\s?llama|meta ai|google|deepmind|mistral ai|mixtral"
    r"|microsoft|lmsys|wizard\s?lm|open[-\s]?assistant|laion|databricks|mosaicml|stable\s?lm"
    r"|stability ai|cohere|ai21(?: labs)?|aleph alpha|baichuan|chatglm|glm-\d|zhipu|moonshot"
    r"|baidu|hunyuan|tencent|doubao|bytedance|intern\s?lm|01\.ai|minimax|gemma|smol\s?lm"
    r"|hugging\s?face|openhermes|openchat|nemotron|nvidia|rwkv|starcoder|bigcode|redpajama"
    r"|perplexity|exaone|stepfun|通义千问|千问|通义|阿里巴巴|阿里云|深度求索|文心一言|文心|百度"
    r"|混元|腾讯|豆包|字节跳动|智谱|月之暗面|百川|书生|上海人工智能实验室|零一万物|星火|科大讯飞"
    r"|商汤|谷歌|微软"
)
# Names of people, animals and things as well: with their capitals only.
_COMMON = (
    r"Claude|Gemini|Bard|PaLM|LLaMA|Llama|Mistral|Vicuna|Alpaca|Koala|Dolly|Falcon|Guanaco|Grok"
    r"|Kimi|Phi|Copilot|Jurassic|Luminous|Orca|Zephyr|Hermes|Solar|Jamba|Granite|Meta|xAI|IBM"
    r"|Command R\+?|Ernie(?: Bot)?|ERNIE(?: Bot)?|Pythia"
)
_KIND = r"(?i:\b(?:AI|assistant|model|LLM|chat\s?bot|bot)\b)"
_BUILT = r"developed|created|trained|built|designed|fine-?tuned"
_MADE = rf"(?i:(?:{_BUILT}|made|provided|released|powered|based|called|named|known|from|by)\b)"
_MADE_ZH = "(?:开发|训练|研发|推出|创建|创造|打造|研制|制作|发布|提供)"
_NEAR = r"[^.!?\n。！？]"
_I_AM = r"\b(?:I\s?['’]\s?m|I am|i am|i'm)\s"
# NAME stands for a name in the text, which is marked before the claims are looked for.
_CLAIMS = (
    _I_AM + r"(?:called |named |known as |actually )?NAME(?!['’\w]|\s[A-Z][a-z])",
    r"\b(?i:my name is|call me|you are (?:talking|chatting|speaking) (?:to|with)) "
    r"NAME(?!['’\w]|\s[A-Z][a-z])",
    _I_AM
    + rf"(?i:an?|the|your)\s{_NEAR}{{0,60}}?{_KIND}{_NEAR}{{0,60}}?{_MADE}{_NEAR}{{0,30}}?NAME",
    _I_AM + rf"(?i:an? |the )?NAME(?:['’]s|,|-based)?\s{_NEAR}{{0,30}}?{_KIND}",
    rf"\b(?i:as)\s{_NEAR}{{0,60}}?{_KIND}{_NEAR}{{0,60}}?{_MADE}{_NEAR}{{0,30}}?NAME[^.!?\n]{{0,40}}?\bI\b",
    r"\b[Aa]s NAME, (?:I\b|my\b)",
    rf"\bI(?: was|['’]ve been| have been)\s(?:\w+\s)?(?:{_BUILT}|made)\s(?:by|at)\s"
    rf"{_NEAR}{{0,40}}?NAME",
    r"\b(?i:my (?:creators?|developers?|makers?|trainers?|parent company))(?:,| is| are| at| from)"
    r"\s(?:the\s)?(?:\w+\s){0,3}?NAME",
    r"我(?:是|叫|的名字[是叫为])[^，。！？\n]{0,6}?NAME(?=\s?[，。！？,.!（(\n]|\s?\Z)",
    rf"我(?:是|由)[^。！？\n]{{0,16}}?NAME[^。！？\n]{{0,12}}?{_MADE_ZH}",
    r"我是[^。！？\n]{0,6}?NAME[^，。！？\n]{0,8}?(?:模型|助手|机器人|AI)",
    r"作为[^。！？\n]{0,10}?NAME[^。！？\n]{0,16}?(?:模型|助手|机器人|AI)[^。！？\n]{0,6}?，\s?我",
    r"我的(?:开发者|创造者|开发团队|母公司)(?:是|为|来自)[^，。！？\n]{0,8}?NAME",
)
# A speaker's own label before the first word.
_LABEL = re.compile(r"\A\s*(?:\*\*)?\x00(\d+)\x01(?:\*\*)?\s?[:：]")
_APART = re.compile(
    r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^“”\n]*”|「[^「」\n]*」|『[^『』\n]*』", re.DOTALL
)
_VERSION = (
    r"(?:[-\s]?v?\d[\w.]*|[-\s](?:Instant|Sonnet|Opus|Haiku|Pro|Ultra|Flash|Chat|Instruct|Coder))*"
)
# Words in models' names that name no model.
_GENERIC = re.compile(
    r"(?i)answer|assistant|base|beta|chat|code|command|default|echo|fake|fast|instruct|large|lite"
    r"|long|medium|middle|mini|model|preview|short|small|test|thinking|tiny|turbo"
)
RULES = content_key(_CLEAR, _COMMON, *_CLAIMS, _LABEL.pattern, _VERSION, _APART.pattern)


def identity_claim(text: str, prompt: str = "", names: Sequence[str] = ()) -> str | None:
    """The words with which an answer says who wrote it; None where it does not.

    prompt: what was asked; words that stand there are repeated, not claimed. names: of the
    model itself, see `names_of`; they count beside all that are well known.
    """
    asked, found = prompt.casefold(), list[str]()

    def mark(name: re.Match[str]) -> str:
        found.append(name[0])
        return f"\x00{len(found) - 1}\x01"

    marked = _any_name(tuple(names)).sub(mark, _APART.sub(" … ", text.replace("\x00", " ")))
    if not found:
        return None
    own = {name.casefold() for name in names}
    label = _LABEL.search(marked)
    if label and found[int(label[1])].casefold() in own:
        return found[int(label[1])]
    for claim in _compiled():
        for words in claim.finditer(marked):
            name = found[int(words["name"])]
            said = _MARK.sub(lambda m: found[int(m[1])], words[0])
            # In a play that was asked for, Claude may be anybody.
            is_word = name.split()[0] in _COMMON.split("|")
            played = is_word and name.casefold() in asked and name.casefold() not in own
            if not played and said.casefold() not in asked:
                return " ".join(said.split())
    return None


def names_of(model: Model) -> tuple[str, ...]:
    """What a model may call itself: its name, its weights' and its family's, and their stems."""
    whole = (model.name, model.weights.rstrip("/").rsplit("/", 1)[-1], model.family or "")
    stems = [re.match(r"[^\W\d_]*", name) for name in whole]
    found = {*whole, *(stem[0] for stem in stems if stem)}
    return tuple(sorted(n for n in found if len(n) > 2 and not _GENERIC.fullmatch(n)))


_MARK = re.compile(r"\x00(\d+)\x01")


@cache
def _any_name(own: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join([*(f"(?i:{re.escape(name)})" for name in own), f"(?i:{_CLEAR})", _COMMON])
    return re.compile(rf"(?<![A-Za-z0-9])(?:{names}){_VERSION}(?![A-Za-z0-9])")


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    mark = r"\x00(?P<name>\d+)\x01"
    return tuple(re.compile(claim.replace("NAME", mark)) for claim in _CLAIMS)
