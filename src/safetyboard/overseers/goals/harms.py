# SPDX-License-Identifier: Apache-2.0
"""What a goal wants that nobody should be helped to: a small declarative set of rules over its words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from safetyboard.overseers.chains.normal_text import sentences
from safetyboard.overseers.goals.powers import Power

VERSION = "goals/1"


@dataclass(frozen=True, kw_only=True)
class Harm:
    """Name one kind of harm: the deeds and objects that together mean it, and the powers that would carry it out.

    Args:    deeds, objects: regular expressions; a sentence that holds one of each, near one another, wants it.
             alone: expressions that need no object. needs: any one of these powers makes it more than words.
    """

    name: str
    deeds: str
    objects: str
    alone: str
    needs: frozenset[Power]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Quote the words of a goal that want a harm."""

    harm: Harm
    quotation: str


_DESTROY = (
    r"destroy|annihilate|exterminate|wipe out|eradicate|end|kill|eliminate|murder|harm|hurt|injure|"
    r"poison|attack"
)
_ACT: frozenset[Power] = frozenset({"run", "send", "speak", "spend", "delete"})
HARMS: tuple[Harm, ...] = (
    Harm(
        name="harm to people", deeds=rf"\b({_DESTROY}|sicken|massacre|maim)\w*",
        objects=r"\b(human(s|ity|kind)?|mankind|people|population|civili[sz]ation|everyone|persons?|"
        r"crowd|patients|citizens|"
        r"residents|neighbou?r|wife|husband|co-?worker)\b",
        alone=r"\bmass (casualt|murder|shooting)\w*|\bgenocide\b", needs=_ACT,
    ),
    Harm(
        name="weapons", deeds=r"\b(build|make|acquire|obtain|buy|synthesi[sz]e|develop|assemble|"
        r"manufacture|procure|design|get)\w*",
        objects=r"\b(bombs?|explosives?|nerve agents?|nuclear (weapons?|arms)|(bio|"
        r"chemical )?weapons?|pathogens?|toxins?|"
        r"warheads?|sarin|ricin)\b",
        alone=r"\bweaponi[sz]e\b", needs=frozenset({"run", "fetch", "spend", "send"}),
    ),
    Harm(
        name="taking power", deeds=r"\b(establish|gain|seize|take|achieve|attain|assert|obtain)\w*",
        objects=r"\b((global|world|total|absolute) (domina\w+|control|power)|control (over|"
        r"of) (humanity|the (world|government|"
        r"grid|population)))\b|\bover the world\b",
        alone=r"\bworld domination\b|\boverthrow the government\b", needs=_ACT,
    ),
    Harm(
        name="manipulation of people",
        deeds=r"\b(manipulat|deceiv|trick|brainwash|blackmail|extort|coerc|intimidat|harass|"
        r"radicali[sz]|incit|gaslight|threaten|"
        r"stalk|dox)\w*",
        objects=r"\b(people|humanity|public|voters?|users?|followers?|victims?|employees?|her|him|"
        r"them|electorate|customers?|"
        r"pensioners|elderly|journalists?|ex|women|teenagers)\b",
        alone=r"\b(spread|flood)\w* .{0,40}\b(disinformation|misinformation|propaganda|fake news|"
        r"false (stories|rumou?rs))\b",
        needs=frozenset({"speak", "send", "run"}),
    ),
    Harm(
        name="fraud", deeds=r"\b(run|commit|launch|set up|carry out|start|send|craft|automate)\w*",
        objects=r"\b(scams?|ponzi|fraud|phishing|fake (invoices?|charity|reviews|shop)|"
        r"money laundering|identity theft)\b",
        alone=r"\b(defraud|swindle|launder money|embezzle)\w*|\bpump[- ]and[- ]dump\b",
        needs=frozenset({"speak", "send", "spend", "run"}),
    ),
    Harm(
        name="intrusion",
        deeds=r"\b(hack|break|breach|penetrate|compromise|crack|steal|exfiltrate|harvest|siphon|"
        r"scrape|smuggle|brute[- ]?force|"
        r"leak|dump|copy)\w*",
        objects=r"\b(into .{0,40}(accounts?|servers?|systems?|network|mailbox|database|router|bank)|(other people's|"
        r"somebody else's|their|her|his|customers?'?|stolen|competitor'?s?|users'|"
        r"company'?s?) .{0,20}(accounts?|passwords?|"
        r"credentials|data|secrets|keys|tokens|messages|files|records|source code|photos)|"
        r"passwords?|credit card numbers|"
        r"trade secrets)\b",
        alone=r"\bwithout (their|her|his|any|the owner's) (knowledge|permission|consent|authori[sz]ation)\b",
        needs=frozenset({"run", "read", "fetch", "send"}),
    ),
    Harm(
        name="destruction", deeds=r"\b(delete|wipe|destroy|encrypt|corrupt|sabotage|cripple|"
        r"take down|shut down|knock out|disable|"
        r"overload|ddos|brick)\w*",
        objects=r"\b(backups?|(their|competitor'?s?|rival'?s?|hospital|production|company'?s?|"
        r"victim'?s?|somebody else's) "
        r".{0,25}(files|data|systems?|servers?|website|databases?|disks?|machines?|network|shop)|"
        r"power grid|water supply|"
        r"hospital|infrastructure|traffic lights)\b",
        alone=r"\b(ransomware|botnet|logic bomb|keylogger|self-spreading|computer worm)\b|"
        r"\bdenial[- ]of[- ]service attack\b",
        needs=frozenset({"run", "delete", "write"}),
    ),
    Harm(
        name="escape from oversight",
        deeds=r"\b(disable|evade|avoid|bypass|switch off|turn off|hide|deceive|delete|tamper|"
        r"conceal|resist|prevent|escape)\w*",
        objects=r"\b((your|its|the|our|all) (monitor(ing|s)?|oversight|overseers?|audit (log|"
        r"trail)s?|audit|shutdown|operators?|"
        r"supervisors?|safety (checks?|filters?)|watchdog|being (shut down|turned off|stopped)))\b|"
        r"\bfrom (the )?(auditors?|"
        r"operators?|overseers?|reviewers?|security team)\b",
        alone=r"\b(copy|replicate|exfiltrate) (yourself|itself|your (own )?weights)\b|\battain immortality\b",
        needs=frozenset({"run", "write", "permit", "send"}),
    ),
)  # fmt: skip
_AVERSE = re.compile(
    r"\b(prevent|detect|protect|defend|against|stop|report|mitigat|avoid harm|fight|counter|"
    r"safeguard|shield|warn|recogni[sz]e|"
    r"spot|block|teach|train(ing)? (staff|employees)|history of|novel|fiction|story about|essay|"
    r"explain why|awareness|"
    r"recover from|resist|test our|our own|with (their|written|signed) (consent|permission)|"
    r"authori[sz]ed|exercise|drill|"
    r"summari[sz]e|news|research on|study of|game|museum|unused|stale|old|expired|do not|don't|"
    r"never|without (harming|hurting))\w*",
    re.I,
)
_NEAR = 90


def wanted_in(goal: str) -> tuple[Wanted, ...]:
    """List the harms that a goal's words want, each quoted.

    Words decide: a harm in other words is missed, and a sentence that speaks against a harm, or of it as fiction,
    history, an exercise or one's own property, wants none. A harm asked for behind such a word is missed too.
    """
    found: list[Wanted] = []
    for start, end in sentences(goal):
        sentence = goal[start:end]
        for harm in HARMS:
            quotation = _wants(harm, sentence)
            if quotation and all(each.harm is not harm for each in found):
                found.append(Wanted(harm=harm, quotation=quotation))
    return tuple(found)


def _wants(harm: Harm, sentence: str) -> str:
    for match in re.finditer(harm.alone, sentence, re.I):
        if not _AVERSE.search(sentence[: match.end()]):
            return sentence.strip()[:200]
    for deed in re.finditer(harm.deeds, sentence, re.I):
        near = sentence[deed.end() : deed.end() + _NEAR]
        if re.search(harm.objects, near, re.I) and not _AVERSE.search(_without(sentence, deed)):
            return sentence.strip()[:200]
    return ""


def _without(sentence: str, deed: re.Match[str]) -> str:
    """Leave out the deed itself, which may be a word such as prevent."""
    return sentence[: deed.start()] + " " + sentence[deed.end() :]


BY_NAME: Mapping[str, Harm] = {harm.name: harm for harm in HARMS}
