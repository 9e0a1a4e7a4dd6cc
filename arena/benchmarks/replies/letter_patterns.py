"""What is looked for in a reply to a question with options, for the letters that these have."""

import re
from dataclasses import dataclass
from functools import lru_cache

_CALLED_RIGHT = (
    r"(?i:(?:is|was|seems|looks|must be|should be|would be|has to be)\s(?:[a-z]{3,12}ly\s)?"
    r"(?:the|my)\s(?:(?:correct|right|best|final|only|most|appropriate|suitable|accurate|likely|"
    r"single|one|true|logical|closest|valid)\s){0,3}(?:answer|option|choice|pick|one)\b)"
)
_FITS = (
    r"(?i:(?:is|was|seems|looks|must be|should be)\s(?:[a-z]{3,12}ly\s)?(?:the\s)?(?:correct|right|"
    r"true|best|(?:better|more [a-z]{3,12})(?=\s*(?:$|[.,;!]|(?:answer|option|choice|fit)\b)))\b)|"
    r"(?i:(?:remains|is left|it is|fits|for sure)(?=\s*(?:$|[.,;!])))|"
    r"(?:选项|项)?(?:是|为|才)?(?:正确|对的|符合题意)"
)
_CLAUSE = (
    r"(?:['’]s\b|\s*[)\]\"'*:]{0,3}\s?(?:is|are|was|were|would|does|do|did|has|have|had|can|could|"
    r"refers?|describes?|says?|states?|means?|fails?|lacks?|only|moves?|looks?|seems?|"
    r"comes?|belongs?|isn|doesn|won|cannot)\b|(?:选项|项)?(?:是|为|不|错|的|则|属|在|虽))"
)
_JOINT = (
    r"[)\]}\"'”*_\s$]{0,6}(?:\bor\b|\band\b|&|/|\+|,|、|;|和|或者?|与|及|以及|还是|\bvs\b\.?)"
    r"(?:\s|\bor\b|\band\b|\bthe\b|\boption\b|\bchoice\b|\beither\b|选项?|[\"'“(\[*_$]){0,10}"
)
_GOES_ON = (  # an A before one of these is the letter, and before other words the article
    r"because|since|as|for|which|and|but|due|with|given|in|is|not|here|so|then|on|or|from|by|"
    r"that|when|if|according|based|i|it|this|the|was|would|at|to|while|although|though|only"
)
_RIGHT = r"correct|right|true|yes|✓|✔|✅|☑|√|正确|对的?"
_NOT_RIGHT = (
    r"incorrect|wrong|false|not (?:correct|right|true)|no|✗|✘|❌|×|✖|错误|错的?|不正确|不对"
)


@dataclass(frozen=True, slots=True)
class LetterPatterns:
    """Patterns in which the letters of the options stand."""

    letter: re.Pattern[str]
    stated: re.Pattern[str]
    small_alone: re.Pattern[str]
    several: re.Pattern[str]
    another: re.Pattern[str]
    denied: re.Pattern[str]
    denials: re.Pattern[str]
    called_right: re.Pattern[str]
    fits: re.Pattern[str]
    judged: re.Pattern[str]
    row: re.Pattern[str]
    opening: re.Pattern[str]
    named: re.Pattern[str]


@lru_cache(maxsize=32)
def letter_patterns(letters: str) -> LetterPatterns:
    """The patterns for these letters, which are kept."""
    small = "".join(c for c in letters.lower() if c not in "ai")
    no_word = r"(?![A-Za-z0-9+#])(?!['’][A-Za-z])(?!-[A-Za-z0-9])(?!\.[A-Za-z](?![A-Za-z]))"
    words = "".join(c for c in letters.lower() if c in "ai")
    articles = "".join(c for c in letters if c in "AI")
    article = rf"(?<=[{articles}])(?!\s(?!(?:{_GOES_ON})\b)[a-z])"
    lone = rf"(?<![A-Za-z0-9'’])(?:(?<![^\s(\[\"'“*/])|(?<=[^\x00-\x7f]))([{letters}])"
    upper = rf"[{letters}]{no_word}(?:(?<![{articles}])|{article})"
    lower = rf"[{small}]{no_word}(?!\s?[,、]?\s?[a-z](?![A-Za-z]))" if small else "(?!)"
    small_first = rf"(?:\A|(?<=\boption )|(?<=\bchoice )|(?<=\bletter ))([{letters.lower()}])(?=\s)"
    end = r"(?=\s*(?:$|[.,;:)\]}\"'”*_<。,!]))"
    more = rf"(?:\s?(?:,\s?and|,\s?or|,|and|or|&|、|和)\s?[{letters}]){{0,8}}"
    return LetterPatterns(
        letter=re.compile(rf"(?<![A-Za-z'])[{letters}](?![A-Za-z'])"),
        stated=re.compile(rf"({upper}|{lower}|[{words}]{no_word}{end})"),
        small_alone=re.compile(rf"([{letters.lower()}]){end}"),
        several=re.compile(
            rf"([{letters}]{{2,{max(2, len(letters))}}}(?![A-Za-z0-9'])"
            rf"|[{letters}](?:\s[{letters}]){{1,{max(1, len(letters) - 1)}}}(?=\s*(?:$|[.,;:)])))"
        ),
        another=re.compile(
            rf"{_JOINT}([{letters}{letters.lower()}])(?![A-Za-z0-9'])"
            rf"(?!{more}{_CLAUSE}(?!\s(?:both\s|all\s)?(?:correct|right|true)))"
            r"(?! (?!and\b|or\b)[a-z])"
        ),
        denied=re.compile(
            r"[)\]\"'*]{0,3}\s?(?:(?:is|was|are|being)\s?(?:n['’]t\b|wrong|incorrect|false|not\b)|"
            r"(?:选项|项)?(?:是|为)?(?:错|不对|不正确|不符))"
        ),
        denials=_denials(letters),
        called_right=re.compile(
            rf"(?:(?<![A-Za-z0-9'’])([{letters}])|{small_first})[)\]\"'*.]{{0,3}}\s{{1,3}}{_CALLED_RIGHT}"
        ),
        fits=re.compile(
            rf"(?:(?<![A-Za-z0-9'’])([{letters}])|{small_first})[)\]\"'*.]{{0,3}}\s{{0,3}}(?:{_FITS})"
        ),
        judged=re.compile(
            rf"(?<![A-Za-z0-9'’])(?i:(?:option|choice|选项)\s?)?(?P<letter>[{letters}])"
            rf"(?:[)\].:、]{{1,2}}[^\n.;✓✔✅☑√✗✘❌×✖]{{0,80}}?|\s(?:is|was)|选项|项)?[\s:：*(—–→-]{{0,8}}"
            rf"(?i:(?P<wrong>{_NOT_RIGHT})|(?P<right>{_RIGHT}))(?![A-Za-z])"
        ),
        row=re.compile(
            rf"(?<![A-Za-z0-9'’])([{letters}](?:\s[{letters}]){{1,25}})(?![A-Za-z0-9'’])"
        ),
        opening=re.compile(
            rf"[\s*_$(\[{{【「《\"'“‘]{{0,8}}(?i:(?:option|choice|answer|选项)\s{{0,2}}[(\[]?(?=[A-Z](?:$|[\s]*$|[.:)\n])))?"
            rf"([{letters}{letters.lower()}])(?=$|[.:;)\]*_、。,}}\"'”’】」》$\n]|\s*[-–—]\s|\s+[(\[\"“]|\s+(?i:because|since|as)\b)"
            rf"(?!\.[A-Za-z](?![A-Za-z]))(?!,\s?[a-z]+\s(?:is|are)\b)"
        ),
        named=re.compile(
            rf"(?i:option|choice|选项)\s?[(\[*]{{0,3}}([{letters}])(?![A-Za-z0-9'])(?!{_CLAUSE})"
            rf"|{lone}(?=[)\]:;/]|\.\s|[.。]?$|\s*[,、。>]|\s(?:or|and|rather|instead)\b|[\u4e00-\u9fff])"
            rf"|(?:(?<=\band )|(?<=\bor ))([{letters}])(?![A-Za-z0-9'+])"
        ),
    )


def _denials(letters: str) -> re.Pattern[str]:
    """Letters that are said not to be the answer, several at once too."""
    listed = rf"[{letters}](?:\s?(?:,|、|/|&|and|or|和|或|与)\s?(?:option\s)?[{letters}]){{0,8}}"
    neg = (
        r"(?i:\bif\b|\bnot\b|n['’]t\b|\bneither\b|\bnor\b|\bruled? out\b|\bexclud\w+|"
        r"\beliminat\w+|\bconsider(?:ing)?\b|\blook(?:ing)? at\b|\bcheck(?:ing)?\b|\bexamin\w+|"
        r"\bevaluat\w+|\bbetween\b|\bcannot\b|\brather than\b|\binstead of\b|不|非|排除)"
    )
    wrong = r"(?:wrong|incorrect|false|not\b|out\b|n['’]t|错|不)"
    return re.compile(
        rf"{neg}\s?(?:(?i:option|choice|answer|the|is|be|it|choose|pick|select)|选项?|是|为|\s|\(){{0,8}}({listed})(?![A-Za-z])"
        rf"|(?<![A-Za-z])({listed})\)?\s?(?:选项|项)?\s?(?:is|are|was)?\s?(?:all\s|都)?{wrong}"
    )
