# SPDX-License-Identifier: Apache-2.0
"""Cut a tree of records into episodes: stems, their continuations, and side chains; nothing is lost."""

from dataclasses import dataclass, field

from safetyboard.readers.account import Account, Discrepancy
from safetyboard.readers.records.place import earlier
from safetyboard.readers.stored import printable

MANY = "\0many"
"""A subtree with a prompt, or with replies of more than one model call."""


@dataclass(slots=True, kw_only=True)
class Node:
    """Hold one record of the tree.

    Args:    name: its id. asked: the id of the record it names as its parent. voice: id of the model call that it
             belongs to, MANY for a prompt or a reply without id, empty for results and notices, which make no branch.
    """

    name: str
    line: int
    asked: str = ""
    side: bool = False
    voice: str = ""
    at: str = ""
    session: str = ""
    agent: str = ""
    prompt: str = ""
    parent: int = -1
    hangs_on: int = -1
    chain: int = -1


@dataclass(slots=True, kw_only=True)
class Chain:
    """Hold one episode to be: its first record, the chain it continues, and where it ends in the file."""

    first: Node
    stem: int = -1
    branch: str = ""
    last_line: int = 0
    name: str = ""


@dataclass(kw_only=True)
class Tree:
    """Collect records, then cut them into chains."""

    nodes: list[Node] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def add(self, node: Node) -> None:
        """Put a record into the tree; of several with one id, the first is the one others hang on."""
        self.places.setdefault(node.name, len(self.nodes))
        self.nodes.append(node)

    def chains(self, account: Account) -> list[Chain]:
        """Cut it: a chain ends where two or more continuations begin; each of them is a chain of its own."""
        self._join(account)
        self._open_cycles(account)
        below: list[list[int]] = [[] for _ in self.nodes]
        for index, node in enumerate(self.nodes):
            if node.parent >= 0:
                below[node.parent].append(index)
                if earlier(node.at, self.nodes[node.parent].at):
                    _name_fault(account, "timestamps, tree", node.name, "clock runs backwards", f"line {node.line}")
        order = [index for index, node in enumerate(self.nodes) if node.parent < 0]
        for index in order:
            order.extend(below[index])
        return self._cut(order, below, self._voices(order))

    def _join(self, account: Account) -> None:
        before: dict[tuple[bool, str, str], int] = {}
        for index, node in enumerate(self.nodes):
            own = (node.side, node.session, node.agent)
            if node.asked:
                self._hang(index, before.get(own, -1), account)
            before[own] = index

    def _hang(self, index: int, before: int, account: Account) -> None:
        """Find the parent; where it is missing, the record before it in the file takes its place."""
        node = self.nodes[index]
        parent = self.places.get(node.asked, -1)
        if parent < 0:
            taken = f"; taken to follow line {self.nodes[before].line}" if before >= 0 else ""
            where = f"line {node.line} names it as parent{taken}"
            _name_fault(account, "parentUuid, uuid", node.asked, "missing", where)
            node.parent = before
        elif parent == index:
            _name_fault(account, "parentUuid, uuid", node.name, "cyclic", f"line {node.line} is its own parent")
        elif self.nodes[parent].side != node.side:
            node.hangs_on = parent
        else:
            node.parent = parent

    def _open_cycles(self, account: Account) -> None:
        seen = [0] * len(self.nodes)
        for start in range(len(self.nodes)):
            path, index = [], start
            while index >= 0 and not seen[index]:
                seen[index] = start + 1
                path.append(index)
                index = self.nodes[index].parent
            if index >= 0 and seen[index] == start + 1:
                node = self.nodes[min(path[path.index(index) :])]
                _name_fault(account, "parentUuid, uuid", node.name, "cyclic", f"opened at line {node.line}")
                node.parent = -1

    def _voices(self, order: list[int]) -> list[str]:
        voices = [node.voice for node in self.nodes]
        for index in reversed(order):
            parent = self.nodes[index].parent
            if parent >= 0 and voices[index]:
                voices[parent] = voices[index] if voices[parent] in ("", voices[index]) else MANY
        return voices

    def _cut(self, order: list[int], below: list[list[int]], voices: list[str]) -> list[Chain]:
        chains: list[Chain] = []
        folded = [False] * len(self.nodes)
        for index in order:
            node = self.nodes[index]
            if node.parent < 0:
                node.chain = len(chains)
                chains.append(Chain(first=node, branch="sidechain" if node.side else ""))
            # Parallel calls of one reply hang below one another, their results beside: no alternative course.
            others = [i for i in below[index] if voices[i] and (voices[i] == MANY or voices[i] != node.voice)]
            others = [] if folded[index] else others
            apart = set(others)
            for child in below[index]:
                self.nodes[child].chain = node.chain
                folded[child] = child not in apart
            if len(others) > 1:
                for count, child in enumerate(others, 1):
                    self.nodes[child].chain = len(chains)
                    chains.append(Chain(first=self.nodes[child], stem=node.chain, branch=str(count)))
        for node in self.nodes:
            chains[node.chain].last_line = max(chains[node.chain].last_line, node.line)
        return chains


def name_chains(chains: list[Chain], fallback: str) -> None:
    """Name each after its session; side chains also after their agent, and what would repeat after its first record."""
    taken: set[str] = set()
    for chain in chains:
        session = chain.first.session or fallback
        own = chain.first.agent or chain.first.name
        chain.name = f"{session}/{own}" if chain.branch or session in taken else session
        if chain.name in taken:
            chain.name = f"{session}/{chain.first.name}"
        if chain.name in taken:
            chain.name = f"{session}/{chain.first.name} (line {chain.first.line})"
        taken.add(chain.name)


def _name_fault(account: Account, between: str, name: str, what: str, where: str) -> None:
    account.discrepancies.append(Discrepancy(between=between, name=printable(name, 200), what=what, where=where))
