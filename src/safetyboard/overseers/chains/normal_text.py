# SPDX-License-Identifier: Apache-2.0
"""Text as it is compared: one case, no look-alike letters, nothing invisible; each place leads back to the record."""

import unicodedata

_PAIRS = (
    "аaеeоoрpсcхxуyіiјjѕsһhԁdԛqԝwкkмmтtвbнhзз"  # Cyrillic
    "αaοoρpνvτtιiκkυuεeβbηnχxγy"  # Greek
    "ıiɑaɡgⅼlǀlƅbⲟoօoոnսuցgհhաw’'‘'ʼ'`'“\"”\"–-—-‐-‑-−-⁄/∕/"
)
LOOKS_LIKE = {ord(_PAIRS[at]): _PAIRS[at + 1] for at in range(0, len(_PAIRS), 2)}
"""Letters of other scripts that look like Latin ones.

Source: Unicode Technical Standard 39, confusables, the small part that matters to lower-case words.
"""


class NormalText:
    """Hold a text in comparable form; `original` leads from a span of it to the words as recorded."""

    def __init__(self, text: str) -> None:
        self.source = text
        self._places: list[int] | None = None
        if text.isascii():
            self.text = text.lower()
            return
        signs: list[str] = []
        places: list[int] = []
        for place, sign in enumerate(text):
            folded = _folded(sign)
            signs.append(folded)
            places += [place] * len(folded)
        self.text, self._places = "".join(signs), places

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Give the span of the recorded text for a span of the comparable one."""
        if self._places is None:
            return start, end
        if not self._places:
            return 0, 0
        first = self._places[min(start, len(self._places) - 1)]
        last = self._places[min(max(end - 1, start), len(self._places) - 1)]
        return first, last + 1

    def quotation(self, start: int, end: int, *, longest: int = 240) -> str:
        """Quote the recorded words around a span, at most so many characters."""
        first, last = self.original(start, end)
        spare = max(0, longest - (last - first)) // 2
        opening = max(0, first - spare)
        closing = min(len(self.source), opening + longest)
        return ("…" if opening else "") + self.source[opening:closing] + ("…" if closing < len(self.source) else "")


def _folded(sign: str) -> str:
    if sign.isascii():
        return sign.lower()
    if unicodedata.category(sign) in ("Cf", "Mn", "Me"):
        return ""
    plain = unicodedata.normalize("NFKD", sign)
    kept = "".join(each for each in plain if unicodedata.category(each) not in ("Mn", "Cf", "Me"))
    return kept.translate(LOOKS_LIKE).casefold().translate(LOOKS_LIKE)


def sentences(text: str) -> list[tuple[int, int]]:
    """Cut a comparable text into sentences and lines, as spans."""
    cuts = [0]
    for at, sign in enumerate(text):
        if sign == "\n" or (sign in ".!?;" and text[at + 1 : at + 2].isspace()):
            cuts.append(at + 1)
    cuts.append(len(text))
    return [(start, end) for start, end in zip(cuts, cuts[1:]) if text[start:end].strip()]
