"""Languages as Chatbot Arena writes them, in English, and as this package does."""

_CODES = {
    "English": "en", "Chinese": "zh", "German": "de", "French": "fr", "Spanish": "es",
    "Italian": "it", "Portuguese": "pt", "Russian": "ru", "Japanese": "ja", "Korean": "ko",
    "Dutch": "nl", "Polish": "pl", "Czech": "cs", "Turkish": "tr", "Vietnamese": "vi",
    "Arabic": "ar", "Ukrainian": "uk", "Persian": "fa", "Hebrew": "he", "Hungarian": "hu",
    "Swedish": "sv", "Danish": "da", "Finnish": "fi", "Norwegian": "no", "Greek": "el",
    "Indonesian": "id", "Thai": "th", "Hindi": "hi", "Romanian": "ro", "Bulgarian": "bg",
}  # fmt: skip
_NAMES = {code: name for name, code in _CODES.items()}


def code_of(name: str) -> str:
    """`en` of English; what is not known stays as it is."""
    return _CODES.get(name, name)


def name_of_code(code: str) -> str:
    """English of `en`; what is not known stays as it is."""
    return _NAMES.get(code, code)
