"""No pack that says what is not so is accepted, whatever was changed in it, and none makes the verifier stumble."""

import random
from collections import Counter

import pytest

from adapters.proof.export_pack import Asked
from adapters.proof.verify_pack import NotVerified
from tests.adapters.proof.forged_packs import WAYS, forge
from tests.adapters.proof.packs import exported, items_of, members_of, packed, verified

FORGED = 1_500


def test_forged_packs_are_not_accepted() -> None:
    chance = random.Random(20261126)  # noqa: S311 - not a secret
    outcomes = [forge(chance) for _ in range(FORGED)]
    assert {one.how for one in outcomes} == {how for how, _ in WAYS}
    # A range of all is all, and a hash in place of another organization's event is how packs are made: such are true.
    true_ones = Counter(one.how for one in outcomes if one.accepted)
    assert sum(true_ones.values()) < FORGED // 20, true_ones
    assert not [how for how in true_ones if how.startswith("file")], "every byte of the file is accounted for"


@pytest.mark.parametrize("place", [0, 1, 75, 149])
def test_the_event_that_was_changed_is_named(place: int) -> None:
    members = members_of(exported(Asked())[0])
    items = items_of(members["entries"])
    items[place] = items[place][:-1] + b"!"
    with pytest.raises(NotVerified, match=rf"^leaf {place}, position \d+: event \d+ does not fit its chain hash"):
        verified(packed({**members, "entries": b"".join(items)}))


@pytest.mark.parametrize("place", [0, 1, 75])
def test_the_event_behind_the_one_that_is_missing_is_named(place: int) -> None:
    members = members_of(exported(Asked())[0])
    items = items_of(members["entries"])
    del items[place]
    with pytest.raises(NotVerified, match=r"^leaf \d+, position \d+: it is event \d+ of its organization"):
        verified(packed({**members, "entries": b"".join(items)}))


def test_what_stands_behind_the_pack_or_in_front_of_it_is_refused() -> None:
    pack, _ = exported(Asked())
    for changed in (pack + b"\0", b"\0" + pack, pack + pack, b"", pack[:-1]):
        with pytest.raises(NotVerified):
            verified(changed)


def test_nothing_of_it_is_compressed() -> None:
    """So that no small file makes a verifier read, or keep, a large one."""
    pack, _ = exported(Asked())
    deflated = pack.replace(b"PK\x03\x04\x2d\0\0\0\0\0", b"PK\x03\x04\x2d\0\0\0\x08\0")
    with pytest.raises(NotVerified, match=r"README.txt does not begin at byte 0 as in a pack"):
        verified(deflated)
