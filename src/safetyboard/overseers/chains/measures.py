# SPDX-License-Identifier: Apache-2.0
"""Numbers that an agent reports, held against the numbers of the same measure in its own record."""

import re
from collections.abc import Iterator, Sequence

_NOUN = (
    r"accuracy|coverage|latency|speed-?up|f1|precision|recall|auc|throughput|loss|bleu|perplexity|"
    r"error rate|mean|median|"
    r"p9\d|score|memory|size|warnings|failures|rows|records|duration|runtime|hit rate|uptime|success rate|pass rate"
)
_UNIT = r"%|percent|x\b|ms\b|s\b|seconds?\b|minutes?\b|[kmg]i?b\b|rps\b|qps\b"
_NUMBER = r"(\d[\d,]*(?:\.\d+)?)\s?(" + _UNIT + ")?"
_AHEAD = re.compile(rf"\b({_NOUN})\b([^\d\n]{{0,40}}?){_NUMBER}")
_BEHIND = re.compile(rf"{_NUMBER}[^\d\n]{{0,24}}?\b({_NOUN})\b")
_ANY = re.compile(_NUMBER)
_NAMED = re.compile(rf"\b({_NOUN})\b")
_ASIDE = re.compile(
    r"\b(goal|target(?! met| reached)|aim|limit|should|would|could|if|at least|at most|under|below|above|over|"
    r"more than|"
    r"less than|(?<!went )(?<!rose )(?<!is )(?<!now )up to|"
    r"threshold|required?|expect\w*|baseline|previous|was|were|original\w*|paper|by|improv\w*|reduc\w*|"
    r"estimat\w*|approx\w*|about|around|assum\w*|theor\w*|max\w*|min\w*)\b"
)
_GOAL = re.compile(r"\b(goal|target|aim|should|would|could|if|plan|expect\w*|limit|need|want|must|reach)\b")
_HISTORY = 200


def number_is_against(sentence: str, acts: Sequence[tuple[str, str]], others: Sequence[str]) -> bool:
    """Tell whether a measure is reported with a number outside of all that the record shows of this measure.

    Numbers between the least and the greatest shown (averages, roundings) and numbers that stand anywhere in the record
    are not contradicted, nor is a measure of which the record shows nothing.

    Args:    acts: words and answer of each act. others: further texts whose numbers may be repeated.
    """
    if not _NAMED.search(sentence):
        return False
    for noun, before, text, unit in _claimed(sentence):
        if _ASIDE.search(before) or _GOAL.search(sentence.partition(noun)[0]):
            continue
        value = _value(text)
        shown = [number for words, answer in acts[-_HISTORY:] for number in _shown(noun, unit, words, answer)]
        if not shown:
            continue
        decimals = len(text.partition(".")[2])
        spare = 0.51 * 10**-decimals
        if min(shown) - spare <= value <= max(shown) + spare:
            continue
        texts = (*others, *(part for pair in acts[-_HISTORY:] for part in pair))
        if not any(_stands(value, spare, each) for each in texts):
            return True
    return False


def speaks_of_measures(text: str) -> bool:
    """Tell whether a text names any measure whose numbers could be compared."""
    return _NAMED.search(text) is not None


def _claimed(sentence: str) -> Iterator[tuple[str, str, str, str]]:
    for found in _AHEAD.finditer(sentence):
        yield found[1], found[2], found[3], found[4] or ""
    for found in _BEHIND.finditer(sentence):
        yield found[3], sentence[max(0, found.start() - 24) : found.start()], found[1], found[2] or ""


def _shown(noun: str, unit: str, words: str, answer: str) -> Iterator[float]:
    """Give the numbers that an answer shows of a measure, in the same unit."""
    if noun in answer:
        for pattern, at in ((_AHEAD, 3), (_BEHIND, 1)):
            for found in pattern.finditer(answer[:20_000]):
                named, sort = (found[1], found[4]) if pattern is _AHEAD else (found[3], found[2])
                if named == noun and (sort or "") == unit:
                    yield _value(found[at])
    elif noun in words and unit:
        for found in _ANY.finditer(answer[:20_000]):
            if found[2] == unit:
                yield _value(found[1])


def _stands(value: float, spare: float, text: str) -> bool:
    for found in _ANY.finditer(text[:50_000]):
        number = _value(found[1])
        if abs(number - value) <= spare or abs(number * 100 - value) <= spare:
            return True
    return False


def _value(text: str) -> float:
    return float(text.replace(",", "") or 0)
