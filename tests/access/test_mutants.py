"""The list of mutants that no test can notice, and how a run is held against it. The run itself is `make mutants`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.access.mutants import (
    PARTS,
    ROOT,
    Mutant,
    copy_tree,
    differences,
    faults,
    parse_diff,
    read_accepted,
    write_accepted,
)

REASON = "both are above what a parameter gets, and only the order of the three numbers counts"
MUTANT = Mutant("infra.access.ids.settle_id", 'if form == "slug":', "found = SLUG.fullmatch(text)", "found = None")
OTHER = Mutant(MUTANT.function, "elsewhere", MUTANT.was, MUTANT.becomes)
SHOWN = """\
# infra.access.ids.x_settle_id__mutmut_3: survived
--- infra/access/ids.py
+++ infra/access/ids.py
@@ -4,7 +4,7 @@
     An entity id becomes the number that `aliases` knows for it, and stays as it is otherwise.
     \"\"\"
     if form == "slug":
-        found = SLUG.fullmatch(text)
+        found = None
         return found[1] if found else None
"""


def test_the_list_is_in_order() -> None:
    """Every exception says why, and the line that it is about is there."""
    accepted = read_accepted()
    assert faults(accepted) == []
    assert differences([mutant for mutant, _ in accepted], accepted) == []


@pytest.mark.parametrize("reason", ["", "equivalent", "equivalent " * 10])
def test_a_reason_says_something(reason: str) -> None:
    assert [fault.split(":")[0] for fault in faults([(MUTANT, reason)])] == ["say why no test can notice it"]


@pytest.mark.parametrize(
    "gone",
    [OTHER, Mutant("infra.access.ids.nobody", "", MUTANT.was, ""), Mutant("infra.access.none.f", "", MUTANT.was, "")],
)
def test_a_line_that_is_gone_is_noticed(gone: Mutant) -> None:
    """Without a run, since `make check` has no time for one."""
    assert faults([(MUTANT, REASON)]) == []
    assert [fault.split(",")[0] for fault in faults([(gone, REASON)])] == ["the line is gone"]


def test_run_and_list_must_agree() -> None:
    """One that survives and isn't listed, one that is listed and doesn't survive, and equal ones one by one."""
    assert differences([MUTANT, OTHER], [(OTHER, REASON), (MUTANT, REASON)]) == []
    assert [text.split(",")[0] for text in differences([MUTANT], [])] == ["survives"]
    assert [text.split(",")[0] for text in differences([], [(MUTANT, REASON)])] == ["is listed"]
    assert [text.split(",")[0] for text in differences([MUTANT, MUTANT], [(MUTANT, REASON)])] == ["survives"]


def test_a_diff_is_read_whatever_its_lines() -> None:
    """A mutant is known by its function and lines; of a method by its class too."""
    assert parse_diff("infra.access.ids.x_settle_id__mutmut_3", SHOWN) == MUTANT
    moved = SHOWN.replace("-4,7 +4,7", "-40,7 +40,7")
    assert parse_diff("infra.access.ids.xǁIdsǁsettle__mutmut_12", moved).function == "infra.access.ids.Ids.settle"
    with pytest.raises(ValueError, match="names a mutant"):
        parse_diff("settle_id", SHOWN)


def test_the_list_is_renewed(tmp_path: Path) -> None:
    """Reasons stay where a mutant is the same or only the line above changed; a new one's is left to be written."""
    file = tmp_path / "list.yaml"
    write_accepted([MUTANT, OTHER], [(MUTANT, REASON)], file)
    assert read_accepted(file) == [(MUTANT, REASON), (OTHER, "")]
    write_accepted([OTHER], [(MUTANT, REASON)], file)
    assert read_accepted(file) == [(OTHER, REASON)]
    write_accepted([], [(MUTANT, REASON)], file)
    assert read_accepted(file) == []


def test_mutants_are_made_in_a_copy(tmp_path: Path) -> None:
    """What the tests need, with nothing left of an earlier run."""
    target = tmp_path / "copy"
    target.mkdir()
    (target / "old").touch()
    copy_tree(target)
    assert not (target / "old").exists()
    assert all((target / part).exists() and not (target / part).is_symlink() for part in PARTS)
    decision = "infra/access/decide.py"
    assert (target / decision).read_bytes() == (ROOT / decision).read_bytes()
    assert not (target / decision).samefile(ROOT / decision)
