"""Names of dynos, whatever order pods come and go in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import builders as b
from haikube.model.pod import Pod, parse_pod
from haikube.plan.ordinals import name_dynos

GROUPS = st.sampled_from(["aaa", "bbb"])


def pod(name: str, hash_: str = "aaa", dyno: str = "", *, deleting: bool = False) -> Pod:
    marks = b.dyno_marks(hash_=hash_)
    return parse_pod(b.pod(name, marks=marks, dyno=dyno, deleting=deleting))


def names(*pods: Pod) -> dict[str, str]:
    return {each.name: each.annotations["haikube.dev/dyno"] for each in name_dynos("web", pods)}


def test_the_lowest_free_numbers_are_given() -> None:
    assert names(pod("a", dyno="web.2"), pod("b"), pod("c")) == {"b": "web.1", "c": "web.3"}


def test_old_and_new_dynos_of_a_rollout_are_numbered_apart() -> None:
    assert names(pod("a", dyno="web.1"), pod("b", "bbb")) == {"b": "web.1"}


def test_a_dying_dyno_frees_its_number_and_gets_none() -> None:
    dying = pod("a", dyno="web.1", deleting=True)

    assert names(dying, pod("b"), pod("c", deleting=True)) == {"b": "web.1"}


@given(st.lists(st.tuples(GROUPS, st.integers(0, 5), st.booleans()), max_size=12))
def test_live_dynos_of_one_release_never_share_a_number(
    drawn: list[tuple[str, int, bool]],
) -> None:
    taken: set[tuple[str, int]] = set()
    pods = []
    for index, (group, number, dying) in enumerate(drawn):
        named = number > 0 and (group, number) not in taken
        taken |= {(group, number)} if named and not dying else set()
        pods.append(pod(f"p{index}", group, f"web.{number}" if named else "", deleting=dying))
    given_names = names(*pods)
    seen = [
        (each.meta.labels["pod-template-hash"], each.dyno or given_names.get(each.meta.name))
        for each in pods
        if not each.over
    ]
    per_group = {group: [name for found, name in seen if found == group] for group, _ in seen}

    assert all(name for _, name in seen)
    for group, found in per_group.items():
        fresh = [name for name in found if name in given_names.values()]
        assert len(set(found)) == len(found), group
        assert all(int(name.split(".")[1]) <= len(drawn) + 5 for name in fresh if name)


@given(st.permutations([pod("a"), pod("b"), pod("c", dyno="web.2"), pod("d", "bbb")]))
def test_the_order_in_which_pods_are_seen_does_not_matter(pods: list[Pod]) -> None:
    assert names(*pods) == {"a": "web.1", "b": "web.3", "d": "web.1"}
