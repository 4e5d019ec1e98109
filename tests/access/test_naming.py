"""Names and errors: labels that are safe, stable and unique; messages that carry everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import DeployError, Fault, LocalCloudError, MbgateError, PolicyError, RenderError, SettingsError
from infra.naming import preview_name, resource_name
from infra.project import find_root

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
BRANCHES = st.text(max_size=100) | st.from_regex(r"[a-zA-Z]{1,5}(/|-|_)[a-z0-9]{8}", fullmatch=True)


@settings(max_examples=300)
@given(BRANCHES)
def test_any_branch_is_a_label(branch: str) -> None:
    """Every branch name, even an empty or foreign one, becomes a DNS label, the same one each time."""
    assert LABEL.fullmatch(preview_name(branch))
    assert preview_name(branch) == preview_name(branch)


@settings(max_examples=300)
@given(st.lists(BRANCHES, min_size=2, max_size=2, unique=True))
def test_two_branches_have_two_labels(branches: list[str]) -> None:
    """Two branches don't share a label."""
    assert preview_name(branches[0]) != preview_name(branches[1])


@pytest.mark.parametrize("branch", ["main", "fix-login", "7", "a" * 63])
def test_safe_names_stay(branch: str) -> None:
    """A name that is a label already is kept."""
    assert preview_name(branch) == branch


@pytest.mark.parametrize(
    ("branch", "label"),
    [
        ("Feature/New Login", r"feature-new-login-[0-9a-f]{8}"),
        ("xn--bcher-kva", r"xn-bcher-kva-[0-9a-f]{8}"),
        ("a" * 64, r"a{54}-[0-9a-f]{8}"),
        ("///", r"b-[0-9a-f]{8}"),
        ("-x", r"x-[0-9a-f]{8}"),
    ],
)
def test_other_names_end_in_their_hash(branch: str, label: str) -> None:
    """A name that had to be changed ends in eight digits of its hash."""
    assert re.fullmatch(label, preview_name(branch))


def test_a_label_can_not_be_taken() -> None:
    """A branch called like another branch's label gets a label of its own."""
    label = preview_name("Feature/X")
    assert preview_name(label) != label


@settings(max_examples=200)
@given(st.text(max_size=80), st.sampled_from(["gateway", "broker", "a-part-with-a-rather-long-name", "x" * 70]))
def test_resource_names_fit(stack: str, part: str) -> None:
    """Names of deployed objects are labels of at most 63 characters that start with the project's."""
    name = resource_name(stack, part)
    assert LABEL.fullmatch(name) and name.startswith("mbgate-")


def test_resource_name_is_readable() -> None:
    """Ordinary names are left as they are."""
    assert resource_name("local", "gateway") == "mbgate-local-gateway"


def test_fault_is_one_line() -> None:
    """A fault prints place, message, path and help, and leaves out what is unknown."""
    fault = Fault(code="x", message="is wrong", file="a.yaml", line=3, column=5, path="$.b", help="mend it")
    assert str(fault) == "a.yaml:3:5: is wrong @ $.b; mend it"
    assert str(Fault(code="x", message="is wrong", file="a.yaml")) == "a.yaml: is wrong"
    assert str(Fault(code="x", message="is wrong")) == "is wrong"


@pytest.mark.parametrize("family", [SettingsError, PolicyError, RenderError, DeployError, LocalCloudError])
def test_errors_have_stable_codes(family: type[MbgateError]) -> None:
    """Every family has a code of its own, is for people, and prints its faults and what to do."""
    error = family("it failed", help="try this", faults=[Fault(code="x", message="is wrong")])
    assert error.is_user_error and re.fullmatch(r"[a-z]+(-[a-z]+)+", error.code)
    assert str(error).splitlines() == [f"it failed [{error.code}]", "  is wrong", "  what to do: try this"]
    assert family("x", code="other-code").code == "other-code"


def test_root_is_found_from_below(tmp_path: Path) -> None:
    """The root is the nearest folder with a Pulumi.yaml, and its absence is an error that says so."""
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_root(below) == find_root(tmp_path) == tmp_path.resolve()
    (tmp_path / "Pulumi.yaml").unlink()
    with pytest.raises(SettingsError, match=r"no Pulumi\.yaml"):
        find_root(below)
