"""Who may do what: the table of rights, read aloud."""

import pytest

from tinghao.app.auth.caller import RIGHTS, TOKEN_ROLES, Caller, Role

AT_A_WINDOW = (
    *("open", "pause", "resume", "close", "call-next", "call", "recall", "no-show", "start"),
    *("finish", "hold", "resume-ticket", "return", "transfer", "undo"),
)


def caller(role: Role, hall: str | None = None) -> Caller:
    return Caller(kind="token", id="token:1", role=role, hall=hall)


@pytest.mark.parametrize("action", AT_A_WINDOW)
def test_whoever_works_at_windows_may_all_that_is_done_there(action: str) -> None:
    roles = {role for role in RIGHTS if caller(role).may(action)}
    everywhere = {"clerk", "manager", "administrator", "integration", "replay"}
    assert roles == everywhere | ({"guide"} if action == "return" else set())


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("take", {"kiosk", "guide", "clerk", "manager", "administrator", "integration", "replay"}),
        ("release", {"manager", "administrator"}),
        ("categories", {"manager", "administrator", "replay"}),
        ("read-journal", {"manager", "inspector", "administrator", "integration", "replay"}),
        ("read-manager", {"manager", "inspector", "administrator"}),
        ("state-times", {"replay"}),
        ("administer", {"administrator"}),
    ],
)
def test_other_rights_belong_to_few(action: str, roles: set[str]) -> None:
    assert {role for role in RIGHTS if caller(role).may(action)} == roles


def test_a_citizen_may_only_what_the_ticket_in_hand_allows() -> None:
    assert RIGHTS["citizen"] == {"cancel", "defer", "rating"}


def test_an_inspector_changes_nothing() -> None:
    assert all(action.startswith("read-") for action in RIGHTS["inspector"])


def test_every_role_has_its_rights_written_down() -> None:
    assert set(RIGHTS) == {*TOKEN_ROLES, "citizen"}


def test_a_caller_of_one_hall_may_nothing_in_another() -> None:
    of_puyang = caller("manager", "puyang")
    assert of_puyang.may("release", "puyang")
    assert not of_puyang.may("release", "fanxian")
    assert caller("manager").may("release", "fanxian")


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        (Caller(kind="citizen", id="citizen:x7"), "citizen"),
        (Caller(kind="token", id="token:7", role="kiosk", token_id=7), "token:7"),
        (Caller(kind="person", id="account:3", role="manager"), "account:3"),
        (Caller(kind="person", id="account:3", role="clerk", staff_id=12), "staff:12"),
    ],
)
def test_the_journal_names_no_person(who: Caller, actor: str) -> None:
    assert who.actor == actor
