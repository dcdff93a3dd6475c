"""A hall comes into being: its row, its first entry, its people."""

import pytest
from msgspec.structs import replace

from tests.queue.hall import PLAIN
from tests.queue.office import CODE, Office
from tinghao.queue.founding import DEMO_STAFF, PUYANG, found
from tinghao.queue.journal import Rooms, load_state
from tinghao.queue.people import add_person
from tinghao.queue.refusals import Refusal


async def test_the_first_entry_is_the_configuration(at_desk: Office) -> None:
    assert at_desk.kinds() == ["hall-configured"]
    assert at_desk.state.setup == PLAIN
    assert {each.state for each in at_desk.state.windows.values()} == {"closed"}
    assert at_desk.verify().faults == ()


async def test_the_four_categories_of_the_notice(at_desk: Office) -> None:
    state = await at_desk.database.write(
        lambda connection: found(connection, Rooms(), "puyang", PUYANG, DEMO_STAFF)
    )
    names = [each.name for each in state.setup.categories]
    assert names == ["社保民生", "不动产交易登记", "商事登记", "投资项目"]
    assert len(state.windows) == 10
    loaded = await at_desk.database.read(
        lambda connection: load_state(connection, Rooms(), "puyang")
    )
    assert loaded == state


async def test_two_halls_of_one_server_have_nothing_in_common(at_desk: Office) -> None:
    await at_desk.database.write(
        lambda connection: found(connection, Rooms(), "county", PLAIN) and None
    )
    await at_desk.desk.confirm()
    assert [hall.code for hall in at_desk.desk.halls] == ["county", CODE]
    await at_desk.take()
    assert at_desk.desk.live("county").state.seq == 1


async def test_a_code_is_given_once(at_desk: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await at_desk.database.write(lambda connection: found(connection, Rooms(), CODE, PLAIN))
    assert refused.value.slug == "hall-exists"


async def test_a_wrong_configuration_founds_nothing(at_desk: Office) -> None:
    wrong = replace(PLAIN, name="")
    with pytest.raises(Refusal) as refused:
        await at_desk.database.write(lambda connection: found(connection, Rooms(), "other", wrong))
    assert refused.value.slug == "configuration"
    assert at_desk.sql("SELECT code FROM halls") == [(CODE,)]


async def test_a_badge_is_one_persons(at_desk: Office) -> None:
    with pytest.raises(Refusal) as refused:
        await at_desk.database.write(lambda connection: add_person(connection, 1, "001", "赵敏"))
    assert refused.value.slug == "badge-taken"


async def test_a_new_colleague_is_known_when_the_list_is_read_again(at_desk: Office) -> None:
    added = await at_desk.database.write(
        lambda connection: add_person(connection, 1, "099", "赵敏")
    )
    assert added not in at_desk.desk.people(CODE)
    await at_desk.desk.refresh_people(CODE)
    assert at_desk.desk.people(CODE)[added].name == "赵敏"
