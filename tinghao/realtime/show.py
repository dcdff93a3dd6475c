"""How codes, times and facts of a view are said on the screens. Used as filters in the templates.

Each function takes the value and the language. A code that no table knows is shown as it is, so
that a hall's own reason still reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from tinghao.realtime.language import translate, wait_text

WINDOW_STATES = {
    "closed": "Closed",
    "paused": "Paused",
    "free": "Free",
    "called": "Calling",
    "serving": "Serving",
}
ROLES = {
    "intake": "Intake",
    "approval": "Approval",
    "issue": "Issue",
    "resolve": "Unresolved matters",
}
GROUNDS = {
    "elderly": "Elderly",
    "disabled": "Disabled",
    "pregnant": "Pregnant",
    "military": "Military",
    "infant": "With infant",
}
WHYS = {
    "directed": "Sent to you",
    "appointment": "Appointment",
    "priority": "Priority",
    "waiting": "Waited longest",
    "chosen": "Chosen",
}
TICKET_STATES = {
    "waiting": "Waiting",
    "called": "Called",
    "serving": "Serving",
    "held": "On hold",
    "finished": "Finished",
    "no-show": "Missed",
    "cancelled": "Cancelled",
    "expired": "Expired at closing",
}
STAFF_ROLES = {
    "clerk": "Window staff",
    "manager": "Hall manager",
    "inspector": "Inspector",
    "administrator": "Administrator",
    "kiosk": "Kiosk",
    "guide": "Floor guide",
    "display": "Display",
}
REASONS = {
    "break": "Break",
    "meal": "Meal",
    "meeting": "Meeting",
    "system": "System fault",
    "errand": "Fetching papers",
    "form": "Filling in a form",
    "copies": "Copies",
    "payment": "Payment",
    "photo": "Photo",
    "supplement": "More papers",
    "materials": "Papers missing",
    "conditions": "Conditions not met",
    "other-window": "Belongs elsewhere",
    "citizen-left": "Citizen left",
    "mistake": "Called by mistake",
    "not-ready": "Citizen not ready",
    "window-problem": "Window cannot serve",
    "appointment": "Appointment",
    "missed": "Missed the call",
    "urgent": "Urgent",
    "manager": "Asked by the manager",
    "window-closed": "Window closed",
    "staff-left": "Staff left",
    "other": "Other",
}
HAPPENINGS = {
    "ticket-taken": "%(number)s taken",
    "ticket-called": "%(number)s called to window %(window)s",
    "ticket-recalled": "%(number)s called again to window %(window)s",
    "ticket-started": "%(number)s at window %(window)s",
    "ticket-finished": "%(number)s finished at window %(window)s",
    "ticket-held": "%(number)s put on hold at window %(window)s",
    "ticket-resumed": "%(number)s taken up again at window %(window)s",
    "ticket-no-show": "%(number)s missed at window %(window)s",
    "ticket-returned": "%(number)s back in the queue",
    "ticket-transferred": "%(number)s transferred",
    "ticket-cancelled": "%(number)s cancelled",
    "ticket-deferred": "%(number)s let others go first",
    "ticket-expired": "%(number)s expired at closing",
    "ticket-released": "%(number)s released",
    "ticket-rated": "%(number)s rated",
    "window-opened": "Window %(window)s opened",
    "window-paused": "Window %(window)s paused",
    "window-resumed": "Window %(window)s resumed",
    "window-closed": "Window %(window)s closed",
    "window-assigned": "Window %(window)s has other categories",
    "day-opened": "The hall's day began",
    "day-closed": "The hall's day ended",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

TABLES = (WINDOW_STATES, ROLES, GROUNDS, WHYS, TICKET_STATES, STAFF_ROLES, REASONS, HAPPENINGS)
"""Every table of message ids here; the catalogue's test reads them."""


def from_table(table: Mapping[str, str]) -> Callable[[str, str], str]:
    """A filter that says the codes of `table` in words."""

    def say(code: str, language: str) -> str:
        return translate(language, table[code]) if code in table else code

    return say


def name(thing: Mapping[str, Any], language: str) -> str:
    """A hall's, category's or window's name in the language of the page."""
    return str(thing["name_en"] if language == "en" and thing["name_en"] else thing["name"])


def other_name(thing: Mapping[str, Any], language: str) -> str:
    """The same name in the other language, for the small line beside it; may be empty."""
    return str(thing["name"] if language == "en" else thing["name_en"] or "")


def clock(at: str, language: str) -> str:
    """The hall's wall-clock time of an RFC 3339 time, as 10:42. The same in both languages."""
    del language
    return at[11:16]


def date_text(day: str | None, language: str) -> str:
    """A day (2026-11-24) as it is said: 11月24日 星期二, or Tuesday 24 November."""
    if day is None:
        return ""
    when = date.fromisoformat(day)
    weekday = translate(language, WEEKDAYS[when.weekday()])
    if language == "zh":
        return f"{when.month}月{when.day}日 {weekday}"
    return f"{weekday} {when.day} {MONTHS[when.month - 1]}"


def wait(estimate: Mapping[str, float] | None, language: str) -> str:
    """An expected wait in words."""
    return wait_text(language, estimate)


def numerals(text: str, language: str) -> Markup:
    """Text whose numbers stand in the hall's numerals, so that they can be read from afar."""
    del language
    parts: list[Markup] = []
    plain = ""
    digits = ""
    for letter in [*text, ""]:
        if letter and (letter.isdigit() or (digits and letter in "–-.")):
            if plain:
                parts.append(escape(plain))
                plain = ""
            digits += letter
            continue
        if digits:
            parts.append(Markup('<b class="num">{}</b>').format(digits))
            digits = ""
        plain += letter
    parts.append(escape(plain))
    return Markup("").join(parts)


def since_ms(at: str, language: str) -> int:
    """An RFC 3339 time as milliseconds since 1970, for the page's own counting."""
    del language
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def duration(seconds: float | None, language: str) -> str:
    """A length of time as minutes and seconds, 6:05; a dash when there is none."""
    del language
    if seconds is None:
        return "–"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def happening(item: Mapping[str, Any], language: str) -> str:
    """One fact of the journal as a sentence. A kind without a sentence is shown by its name."""
    sentence = HAPPENINGS.get(item["kind"])
    if sentence is None:
        return str(item["kind"])
    number = item.get("number") or translate(language, "A number")
    return translate(language, sentence, number=number, window=item.get("window") or "–")


FILTERS: dict[str, Callable[..., Any]] = {
    "name": name,
    "other_name": other_name,
    "clock": clock,
    "date_text": date_text,
    "wait": wait,
    "numerals": numerals,
    "ms": since_ms,
    "duration": duration,
    "happening": happening,
    "window_state": from_table(WINDOW_STATES),
    "window_role": from_table(ROLES),
    "ground": from_table(GROUNDS),
    "why": from_table(WHYS),
    "ticket_state": from_table(TICKET_STATES),
    "staff_role": from_table(STAFF_ROLES),
    "reason": from_table(REASONS),
}
