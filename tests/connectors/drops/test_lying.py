"""Which files are taken, and when."""

import pytest

from connectors.drops.lying import Looks, Lying, fault_of, is_meant

STILL = Lying("a.csv", 10, 1)


@pytest.mark.parametrize(
    ("name", "is_for_us"),
    [
        ("a.csv", True),
        ("A.csv", True),
        (".a.csv", False),
        ("a.csv.part", False),
        ("a.csv.TMP", False),
        ("a.csv.done", False),
        ("a.csv.why", False),
        ("a.txt", False),
    ],
)
def test_names(name: str, is_for_us: bool) -> None:
    assert is_meant(name, "*.csv*") == is_for_us


@pytest.mark.parametrize("name", ["../x.csv", "a/b.csv", "c\\d.csv", "e\n.csv", "\udcff.csv", "", "ü" * 101])
def test_a_name_that_could_lead_elsewhere_is_a_fault(name: str) -> None:
    assert fault_of(Lying(name, 1, 1))
    assert not fault_of(STILL)


def test_a_file_is_whole_when_it_was_still_between_two_looks() -> None:
    looks = Looks("*", "stable")
    assert looks.taken([STILL], "") == []
    assert looks.taken([Lying("a.csv", 11, 1)], "") == []
    assert looks.taken([Lying("a.csv", 11, 2)], "") == []
    assert looks.taken([Lying("a.csv", 11, 2)], "") == [Lying("a.csv", 11, 2)]


def test_a_file_is_whole_once_its_own_mark_is_there() -> None:
    looks = Looks("*", "done")
    assert looks.taken([STILL, Lying("b.csv.done", 0, 1)], "") == []
    assert looks.taken([STILL, Lying("a.csv.done", 0, 1)], "") == [STILL]


def test_the_one_that_was_begun_comes_first_and_then_the_oldest() -> None:
    looks, files = Looks("*", "stable"), [Lying(name, 1, at) for name, at in (("c", 3), ("b", 1), ("a", 1))]
    looks.taken(files, "")
    assert [each.name for each in looks.taken(files, "c")] == ["c", "a", "b"]
