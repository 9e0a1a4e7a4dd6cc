"""Which samples of lm-eval are of one item, and what the item is called."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from arena.records import content_key


def by_item(samples: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Samples by their item, in the order of the first of each.

    An item has the name that its document gives it, else the document's digest. The rotations of
    one question are one item. Other documents of one name are items of their own, because a name
    may be a topic, and so is a document that a set holds twice; the first keeps the bare name.
    """
    named: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for sample in samples:
        named[str(sample["doc"].get("id") or _digest(sample))].append(sample)
    items: dict[str, list[Mapping[str, Any]]] = {}
    for name, here in named.items():
        if len(here) == 1 or _are_rotations(here):
            items[name] = here
            continue
        first, times = _digest(here[0]), defaultdict[str, int](int)
        for sample in here:
            digest = _digest(sample)
            times[digest] += 1
            parts = [name, "" if digest == first else content_key(digest)[:8]]
            parts.append(str(times[digest]) if times[digest] > 1 else "")
            items["#".join(filter(None, parts))] = [sample]
    return items


def _digest(sample: Mapping[str, Any]) -> str:
    return str(sample.get("doc_hash") or content_key(sample["doc"]))


def _are_rotations(samples: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the documents are one question with the same options in other orders."""
    docs = [sample["doc"] for sample in samples]
    if not all(isinstance(doc.get("choices"), list) and doc["choices"] for doc in docs):
        return False
    asked = {(str(doc.get("question")), str(sorted(map(str, doc["choices"])))) for doc in docs}
    orders = {tuple(map(str, doc["choices"])) for doc in docs}
    return len(asked) == 1 and len(orders) == len(docs)
