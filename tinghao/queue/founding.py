"""Founding a hall: its row, its first entry, its staff; and the templates to start from.

The founding entry is dated at the beginning of the hall's records, long before its first day,
so that past periods can be imported and are measured by this configuration.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select

from tinghao.queue.clock import micros, zone
from tinghao.queue.events import HallConfigured
from tinghao.queue.journal import store
from tinghao.queue.journal.entries import GENESIS
from tinghao.queue.journal.rooms import Rooms
from tinghao.queue.journal.writing import Writing
from tinghao.queue.model import Category, HallConfig, HallState, Item, Policy, WindowConfig
from tinghao.queue.people import add_person
from tinghao.queue.refusals import conflict, invalid
from tinghao.queue.rules.setup import faults_of
from tinghao.queue.tables import halls

RECORDS_BEGIN = (2000, 1, 1)


def found(
    connection: Connection,
    rooms: Rooms,
    code: str,
    config: HallConfig,
    staff: Iterable[tuple[str, str]] = (),
) -> HallState:
    """A new hall with its staff (badge, name). Raises Refusal `hall-exists`, `configuration`."""
    faults = faults_of(config)
    if faults:
        raise invalid(
            "configuration", "The configuration is wrong: {faults}", faults="; ".join(faults)
        )
    if connection.scalar(select(halls.c.id).where(halls.c.code == code)) is not None:
        raise conflict("hall-exists", "There is a hall {hall} already.", hall=code)
    epoch = secrets.token_hex(4)
    connection.execute(
        insert(halls),
        {"code": code, "epoch": epoch, "head_seq": 0, "head_hash": GENESIS, "head_at": 0},
    )
    head = store.head_of(connection, code)
    begin = micros(datetime(*RECORDS_BEGIN, tzinfo=zone(config.timezone)))
    writing = Writing(rooms, rooms.start(code, epoch, GENESIS), by="hall")
    writing.add(HallConfigured(config=config), begin)
    writing.write(connection, head, None, begin, None)
    for badge, name in staff:
        add_person(connection, head.hall_id, badge, name)
    return writing.state


def _items(*items: tuple[str, str, str, int]) -> tuple[Item, ...]:
    return tuple(
        Item(code=code, name=name, name_en=name_en, standard_minutes=minutes)
        for code, name, name_en, minutes in items
    )


_SOCIAL = Category(
    code="social",
    name="社保民生",
    name_en="Social security",
    prefix="A",
    standard_minutes=8,
    items=_items(
        ("pension", "养老保险", "Pension insurance", 10),
        ("medical", "医疗保险", "Medical insurance", 8),
        ("card", "社保卡", "Social security card", 6),
        ("fund", "住房公积金", "Housing fund", 10),
    ),
)
_ESTATE = Category(
    code="estate",
    name="不动产交易登记",
    name_en="Real estate",
    prefix="B",
    standard_minutes=15,
    items=_items(
        ("transfer", "转移登记", "Transfer of title", 18),
        ("mortgage", "抵押登记", "Mortgage", 15),
        ("search", "登记查询", "Title search", 6),
    ),
)
_BUSINESS = Category(
    code="business",
    name="商事登记",
    name_en="Business registration",
    prefix="C",
    standard_minutes=12,
    items=_items(
        ("found", "设立登记", "New company", 15),
        ("change", "变更登记", "Change of registration", 12),
        ("close", "注销登记", "Deregistration", 12),
    ),
)
_PROJECT = Category(
    code="project",
    name="投资项目",
    name_en="Investment projects",
    prefix="D",
    standard_minutes=18,
    items=_items(
        ("approval", "项目审批", "Project approval", 20),
        ("permit", "施工许可", "Building permit", 18),
    ),
)


def _windows() -> tuple[WindowConfig, ...]:
    intake = "综合受理", "Intake"
    plan: tuple[tuple[str, tuple[str, str], tuple[str, ...]], ...] = (
        ("intake", intake, ("social",)),
        ("intake", intake, ("social",)),
        ("intake", intake, ("social", "business")),
        ("intake", intake, ("estate",)),
        ("intake", intake, ("estate", "social")),
        ("intake", intake, ("business",)),
        ("intake", intake, ("business", "project")),
        ("intake", intake, ("project", "estate")),
        ("issue", ("统一出证", "Issue"), ("social", "estate", "business", "project")),
        ("resolve", ("办不成事反映", "Problems solved"), ("social", "project")),
    )
    return tuple(
        WindowConfig(
            number=number,
            name=name,
            name_en=name_en,
            role=role,  # type: ignore[arg-type]  # the plan above names only roles
            categories=categories,
        )
        for number, (role, (name, name_en), categories) in enumerate(plan, start=1)
    )


PUYANG = HallConfig(
    name="濮阳市行政服务中心",
    name_en="Puyang Administrative Service Centre",
    categories=(_SOCIAL, _ESTATE, _BUSINESS, _PROJECT),
    windows=_windows(),
)
"""The four categories of the notice of 2018 and ten windows."""

TEMPLATES = {"puyang": PUYANG}

DEMO = replace(PUYANG, policy=Policy(public_take=True, show_staff="badge"))
DEMO_STAFF = (
    ("001", "王建国"),
    ("002", "李秀英"),
    ("003", "张伟"),
    ("004", "刘洋"),
    ("005", "陈静"),
    ("006", "杨帆"),
    ("007", "赵敏"),
    ("008", "黄磊"),
    ("009", "周婷"),
    ("010", "吴昊"),
    ("011", "徐丽"),
    ("012", "孙鹏"),
)
