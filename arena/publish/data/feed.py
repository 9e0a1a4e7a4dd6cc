"""The change log as an Atom feed."""

from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as Xml

from arena.publish.data.changes import ChangeLog, PublishedChange
from arena.records import Note

FILE = "feed.atom"
_ATOM = "http://www.w3.org/2005/Atom"
# Atom asks for a time; of a database without evidence there is none.
_NEVER = "1970-01-01T00:00:00Z"
_LANGUAGES = ("en", "zh")


def to_atom(log: ChangeLog, title: str) -> str:
    """The feed, its latest entry first. Names of things are digests, since a folder has no address.

    Links are relative to the feed.
    """
    feed = Xml.Element("feed", {"xmlns": _ATOM})
    _add(feed, "title", title)
    _add(feed, "id", _urn(log.changes[-1].id))
    _add(feed, "updated", _time(log.changes[0]))
    Xml.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": "index.html"})
    _add(Xml.SubElement(feed, "author"), "name", title)
    for change in log.changes:
        feed.append(_entry(change))
    Xml.indent(feed)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + Xml.tostring(feed, "unicode") + "\n"


def _entry(change: PublishedChange) -> Xml.Element:
    entry = Xml.Element("entry")
    heading = Note.of("changes.heading", moved=len(change.told), came=len(change.came))
    _add(entry, "title", " · ".join(heading.text(language) for language in _LANGUAGES))
    _add(entry, "id", _urn("entry", change.id))
    _add(entry, "updated", _time(change))
    Xml.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": "index.html"})
    content = Xml.SubElement(entry, "content", {"type": "xhtml"})
    outer = Xml.SubElement(content, "div", {"xmlns": "http://www.w3.org/1999/xhtml"})
    for language in _LANGUAGES:
        part = Xml.SubElement(outer, "ul", {"lang": language})
        for note in change.notes:
            _add(part, "li", note.text(language))
    return entry


def _add(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, tag).text = "".join(c for c in text if c.isprintable())


def _urn(*parts: str) -> str:
    return uuid5(NAMESPACE_URL, " ".join(parts)).urn


def _time(change: PublishedChange) -> str:
    return change.updated or _NEVER
