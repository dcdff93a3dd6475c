"""Reading recorded days, and refusing what is not one."""

from datetime import date
from pathlib import Path

import pytest

from tests.app.records.days import DAYS, TICKETS
from tinghao.app.records.record import RecordError, read_record, select
from tinghao.queue.model import MINUTE

HEADER = (
    "ticket_id,queue_id,category,server_id,arrived_at,started_at,finished_at,outcome,priority\n"
)
GOOD = "a1,office,A,,2020-01-13T09:00:00,2020-01-13T09:12:00,,called,\n"


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "tickets.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def test_the_days_of_the_project_are_read_whole() -> None:
    """Five working days of one office, in order of arrival, with the counters that were open."""
    record = read_record(TICKETS)

    assert record.days == DAYS
    assert record.sites == ("UD_Zoliborz",)
    assert len(record.tickets) == 1394
    assert len(record.snapshots) == 1819
    arrivals = [(each.day, each.arrived) for each in record.tickets]
    assert arrivals == sorted(arrivals)


def test_times_count_from_the_local_midnight(tmp_path: Path) -> None:
    """A ticket knows its day and, apart from it, the times of that day."""
    record = read_record(written(tmp_path, GOOD))

    (ticket,) = record.tickets
    assert ticket.day == date(2020, 1, 13)
    assert ticket.arrived == 9 * 60 * MINUTE
    assert ticket.called == (9 * 60 + 12) * MINUTE
    assert ticket.queue == "office/A"


def test_who_came_in_the_same_second_stands_in_the_order_of_being_called(tmp_path: Path) -> None:
    """The door queue has one arrival time; its order is that of the calls."""
    record = read_record(
        written(
            tmp_path,
            "later,office,A,,2020-01-13T08:00:00,2020-01-13T08:20:00,,called,\n",
            "never,office,A,,2020-01-13T08:00:00,,,abandoned,\n",
            "first,office,A,,2020-01-13T08:00:00,2020-01-13T08:05:00,,called,\n",
        )
    )

    assert [each.id for each in record.tickets] == ["first", "later", "never"]


def test_more_columns_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    """Files that come out of a spreadsheet can be read."""
    path = written(
        tmp_path,
        "a1,booth,tickets,L2,2022-02-27T07:21:27,2022-02-27T07:22:42,2022-02-27T07:23:19,served,1,3\n",
        header="\ufeff" + HEADER.strip() + ",servers_open\n",
    )

    (ticket,) = read_record(path).tickets

    assert ticket.server == "L2"
    assert ticket.priority
    assert ticket.finished is not None


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",office,A,,2020-01-13T09:00:00,,,,", "line 3, column ticket_id: must not be blank"),
        ("a1,office,A,,2020-01-13T09:00:00,,,,", "line 3, column ticket_id: 'a1' stands in an"),
        ("a2,,A,,2020-01-13T09:00:00,,,,", "line 3, column queue_id: must not be blank"),
        ("a2,office,,,2020-01-13T09:00:00,,,,", "line 3, column category: must not be blank"),
        ("a2,office,A,,,,,,", "line 3, column arrived_at: must not be blank"),
        ("a2,office,A,,2020-13-01T09:00:00,,,,", "column arrived_at: '2020-13-01T09:00:00' is not"),
        ("a2,office,A,,2020-01-13,,,,", "column arrived_at: '2020-01-13' is not a time like"),
        ("a2,office,A,,2020-01-13T09:00:00Z,,,,", "column arrived_at: '2020-01-13T09:00:00Z' has"),
        (
            "a2,office,A,,2020-01-13T09:00:00,2020-01-13T08:59:59,,called,",
            "line 3, column started_at: 2020-01-13 08:59:59 is before the arrival",
        ),
        (
            "a2,office,A,,2020-01-13T09:00:00,2020-01-13T09:10:00,2020-01-13T09:05:00,served,",
            "line 3, column finished_at: 2020-01-13 09:05:00 is before 2020-01-13 09:10:00",
        ),
        ("a2,office,A,,2020-01-13T09:00:00,,,,yes", "column priority: 'yes' is none of 1, 0"),
        ("a2,office,A", "line 3: 3 fields where the header has 9"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_column(tmp_path: Path, row: str, problem: str) -> None:
    """Whoever has to mend the file is told where."""
    path = written(tmp_path, GOOD, row + "\n")

    with pytest.raises(RecordError) as caught:
        read_record(path)

    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Not there, empty, without the columns, not text: one sentence each."""
    with pytest.raises(RecordError, match="No such file"):
        read_record(tmp_path / "none.csv")
    with pytest.raises(RecordError, match="header lacks ticket_id, queue_id"):
        read_record(written(tmp_path, header=""))
    with pytest.raises(RecordError, match="no tickets in this file"):
        read_record(written(tmp_path))
    (tmp_path / "tickets.csv").write_bytes(HEADER.encode() + b"\xff\xfe\n")
    with pytest.raises(RecordError, match="not UTF-8"):
        read_record(tmp_path / "tickets.csv")


def test_a_bad_snapshot_is_named_too(tmp_path: Path) -> None:
    """The file of the counters is read with the same care."""
    path = written(tmp_path, GOOD)
    (tmp_path / "snapshots.csv").write_text(
        "ts,queue_id,category,open_counters\n2020-01-13T09:00:00,office,A,some\n", encoding="utf-8"
    )

    with pytest.raises(RecordError, match=r"snapshots\.csv, line 2, column open_counters: 'some'"):
        read_record(path)


def test_a_day_and_a_site_can_be_chosen() -> None:
    """What was chosen is there, tickets and snapshots; what is not in the record is refused."""
    record = read_record(TICKETS)

    monday = select(record, ("UD_Zol",), (DAYS[-1],))

    assert monday.days == (DAYS[-1],)
    assert len(monday.tickets) == 335
    assert {each.day for each in monday.snapshots} == {DAYS[-1]}
    with pytest.raises(RecordError, match="no site 'UD_Wola'; there is UD_Zoliborz"):
        select(record, ("UD_Wola",))
    with pytest.raises(
        RecordError, match="no tickets on 2020-02-01; the record runs from 2020-01-07"
    ):
        select(record, (), (date(2020, 2, 1),))
