# SPDX-License-Identifier: Apache-2.0
"""The fast tree against the literal one, and both against the vectors of the reference implementation."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import merkle
from safetyboard.evidence.merkle import EMPTY_ROOT, Tree, leaf_hash, verify_consistency, verify_inclusion

MOST = 70

# google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc and go-merkle: inputs, roots of the first n of
# them, audit paths (leaf counted from 1, tree size) and consistency proofs (older, newer).
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
PROOFS = {
    (1, 1): [],
    (1, 8): PATHS[1, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


def grown(given_entries: list[bytes]) -> Tree:
    tree = Tree()
    for entry in given_entries:
        tree.append(entry)
    return tree


@cache
def large() -> Tree:
    return grown(entries(MOST))


def hexed(hashes: list[bytes]) -> list[str]:
    return [each.hex() for each in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert grown(INPUTS[:size]).root().hex() == merkle.mth(INPUTS[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("leaf", "size"), PATHS)
def test_audit_paths_are_those_of_the_reference_implementation(leaf: int, size: int) -> None:
    assert hexed(grown(INPUTS).inclusion(leaf - 1, size)) == PATHS[leaf, size]
    assert hexed(merkle.path(leaf - 1, INPUTS[:size])) == PATHS[leaf, size]


@pytest.mark.parametrize(("older", "newer"), PROOFS)
def test_consistency_proofs_are_those_of_the_reference_implementation(older: int, newer: int) -> None:
    assert hexed(grown(INPUTS).consistency(older, newer)) == PROOFS[older, newer]
    assert hexed(merkle.proof(older, INPUTS[:newer])) == PROOFS[older, newer]


@pytest.mark.parametrize("size", range(MOST + 1))
def test_every_root_and_path_is_the_literal_one_and_is_accepted(size: int) -> None:
    root = large().root(size)
    assert root == merkle.mth(entries(size)) == grown(entries(size)).root()
    for index in range(size):
        steps = large().inclusion(index, size)
        assert steps == merkle.path(index, entries(size))
        assert verify_inclusion(b"entry %d" % index, index, size, steps, root)


@pytest.mark.parametrize("newer", range(1, MOST + 1))
def test_every_consistency_proof_is_the_literal_one_and_is_accepted(newer: int) -> None:
    for older in range(1, newer + 1):
        steps = large().consistency(older, newer)
        assert steps == merkle.proof(older, entries(newer))
        assert verify_consistency(older, newer, large().root(older), large().root(newer), steps)


@settings(max_examples=25)
@given(size=st.integers(MOST, 700), data=st.data())
def test_larger_trees_of_any_entries_are_the_literal_ones(size: int, data: st.DataObject) -> None:
    seed = data.draw(st.binary(max_size=8))
    given_entries = [seed * (number % 3) + b"%d" % (number % 50) for number in range(size)]
    tree, root = grown(given_entries), merkle.mth(given_entries)
    assert tree.root() == root
    index, older = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    steps, proof = tree.inclusion(index), tree.consistency(older)
    assert (steps, proof) == (merkle.path(index, given_entries), merkle.proof(older, given_entries))
    assert verify_inclusion(given_entries[index], index, size, steps, root)
    assert verify_consistency(older, size, merkle.mth(given_entries[:older]), root, proof)
    assert not verify_consistency(older, size, merkle.mth([*given_entries[: older - 1], b"x"]), root, proof)


@given(size=st.integers(1, MOST), data=st.data())
def test_a_wrong_entry_place_path_or_root_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, steps = large().root(size), large().inclusion(index, size)
    entry = b"entry %d" % index
    assert not verify_inclusion(b"another", index, size, steps, root)
    assert not verify_inclusion(entry, index, size, steps, leaf_hash(b"another"))
    assert not verify_inclusion(entry, index, size, [*steps, root], root)
    other = data.draw(st.integers(-1, size).filter(lambda place: place != index))
    assert not verify_inclusion(entry, other, size, steps, root)
    if steps:
        place = data.draw(st.integers(0, len(steps) - 1))
        changed = bytes([steps[place][0] ^ 1]) + steps[place][1:]
        assert not verify_inclusion(entry, index, size, [*steps[:place], changed, *steps[place + 1 :]], root)
        assert not verify_inclusion(entry, index, size, steps[:-1], root)
    assert not verify_inclusion(entry, index, index, steps, root)


@given(newer=st.integers(2, MOST), data=st.data())
def test_a_split_history_has_no_consistency_proof(newer: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(1, newer - 1))
    forked = entries(newer)
    forked[data.draw(st.integers(0, older - 1))] = b"rewritten"
    other = grown(forked)
    old_root, new_root = large().root(older), other.root()
    for steps in (other.consistency(older), large().consistency(older, newer), []):
        assert not verify_consistency(older, newer, old_root, new_root, steps)
    steps = large().consistency(older, newer)
    place = data.draw(st.integers(0, len(steps) - 1))
    changed = [*steps[:place], leaf_hash(b"x"), *steps[place + 1 :]]
    assert not verify_consistency(older, newer, old_root, large().root(newer), changed)
    assert not verify_consistency(older, newer, old_root, large().root(newer), [*steps, old_root])
    assert not verify_consistency(older, newer, old_root, large().root(newer), steps[:-1])


def test_equal_sizes_are_consistent_only_with_equal_roots_and_no_proof() -> None:
    first, second = large().root(5), large().root(6)
    assert verify_consistency(5, 5, first, first, [])
    assert not verify_consistency(5, 5, first, second, [])
    assert not verify_consistency(5, 5, first, first, [first])
    assert not verify_consistency(0, 5, EMPTY_ROOT, first, [])
    assert not verify_consistency(6, 5, second, first, [])


def test_what_is_not_in_the_tree_is_refused_before_anything_is_hashed() -> None:
    tree = grown(entries(3))
    with pytest.raises(ValueError, match="3 entries"):
        tree.root(4)
    with pytest.raises(ValueError, match="entry 3"):
        tree.inclusion(3)
    for older, newer in ((0, 3), (3, 2), (1, 4)):
        with pytest.raises(ValueError, match="no prefix"):
            tree.consistency(older, newer)
    assert Tree().root() == EMPTY_ROOT


def test_a_path_has_as_many_steps_as_the_tree_has_levels() -> None:
    tree = Tree()
    for number in range(1025):
        tree.append(b"%d" % number)
    assert [len(tree.inclusion(0, size)) for size in (1, 2, 3, 1024, 1025)] == [0, 1, 2, 10, 11]
    assert all(a != b for a, b in pairwise(tree.root(size) for size in range(1026)))


def test_a_path_that_ends_below_the_root_is_refused_even_where_its_hash_is_called_the_root() -> None:
    for index, size in ((0, 2), (3, 8), (5, 16)):
        steps = large().inclusion(index, size)[:-1]
        short = merkle.mth(entries(size)[: merkle.split_of(size)])
        assert verify_inclusion(b"entry %d" % index, index, merkle.split_of(size), steps, short)
        assert not verify_inclusion(b"entry %d" % index, index, size, steps, short)
