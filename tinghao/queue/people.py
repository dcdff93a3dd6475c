"""Window staff by id: names stand here, never in the journal."""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from tinghao.queue.refusals import conflict
from tinghao.queue.tables import staff


class Person(Struct, frozen=True):
    """A member of the window staff."""

    id: int
    badge: str
    name: str


Directory = Mapping[int, Person]


def directory(connection: Connection, hall_id: int) -> dict[int, Person]:
    """The staff of a hall by id, those who left included: old entries still name them."""
    rows = connection.execute(
        select(staff.c.id, staff.c.badge, staff.c.name).where(staff.c.hall_id == hall_id)
    )
    return {row.id: Person(*row) for row in rows}


def add_person(connection: Connection, hall_id: int, badge: str, name: str) -> int:
    """A new member of staff; the id. Raises Refusal `badge-taken`."""
    same = select(staff.c.id).where(staff.c.hall_id == hall_id, staff.c.badge == badge)
    if connection.scalar(same) is not None:
        raise conflict("badge-taken", "Badge {badge} is already somebody's.", badge=badge)
    added = connection.execute(
        insert(staff).returning(staff.c.id),
        {"hall_id": hall_id, "badge": badge, "name": name, "active": True},
    )
    return int(added.scalar_one())
