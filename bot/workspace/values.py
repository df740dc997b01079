"""What a person chose or typed, in the shape Slack reports it (`state.values`, `actions`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.workspace.model import Json, interactive

# Element type: where its value stands in Slack's report, and which field of the element it starts from.
_FIELDS = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
}


def _options(element: Json) -> Iterator[Json]:
    yield from element.get("options", [])
    for group in element.get("option_groups", []):
        yield from group["options"]


def _option(element: Json, value: str) -> Json:
    for option in _options(element):
        if option["value"] == value:
            return option
    offered = ", ".join(o["value"] for o in _options(element))
    raise LookupError(f"{element.get('action_id')} offers {offered}, not {value!r}")


def chosen(element: Json, given: Any) -> Json:
    """The report on one element: `given` as Slack's own object, or simply the text, option value, values or date.

    Raises LookupError for an option that is not offered.
    """
    if element["type"] == "button":
        return {} if given is None else {"value": given}
    if isinstance(given, dict):
        return {"type": element["type"], **given}
    key, _ = _FIELDS[element["type"]]
    if key == "selected_option":
        given = None if given is None else _option(element, given)
    elif key == "selected_options":
        given = [_option(element, value) for value in given or []]
    return {"type": element["type"], key: given}


def initial(element: Json) -> Json:
    """The report on an element that nobody touched."""
    key, start = _FIELDS[element["type"]]
    return {"type": element["type"], key: element.get(start, [] if key == "selected_options" else None)}


def report(blocks: list[Json], given: Json) -> Json:
    """`state.values` for `blocks`: what is `given` by block and action (or by block, or by action alone), else initial.

    Raises LookupError if something is given that the blocks do not ask for.
    """
    values: Json = {}
    left = {(block, action) for block, inner in given.items() for action in (inner if _nested(inner) else [""])}
    for block, element in interactive(blocks):
        if element["type"] not in _FIELDS or element["type"] == "overflow":
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        value = initial(element)
        for names in ((block_id, action_id), (block_id, ""), (action_id, "")):
            if names in left:
                inner = given[names[0]]
                value = chosen(element, inner[names[1]] if names[1] else inner)
                left.discard(names)
        values.setdefault(block_id, {})[action_id] = value
    if left:
        raise LookupError(f"nothing in the view asks for {sorted(left)}")
    return values


def _nested(inner: Any) -> bool:
    """Whether `inner` maps action ids to values, rather than being Slack's object for one value."""
    return isinstance(inner, dict) and "type" not in inner


def missing(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's own client would complain about before it sends anything: by block_id, in its words."""
    problems: dict[str, str] = {}
    for block, element in interactive(blocks):
        if block["type"] != "input":
            continue
        key, _ = _FIELDS[element["type"]]
        value = values[block["block_id"]][element["action_id"]].get(key)
        if not value and not block.get("optional"):
            problems[block["block_id"]] = "Please complete this required field."
        elif isinstance(value, str) and value and (wrong := _wrong_text(element, value)):
            problems[block["block_id"]] = wrong
    return problems


def _wrong_text(element: Json, value: str) -> str:
    if element["type"] == "number_input":
        return _wrong_number(element, value)
    if len(value) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters long."
    if len(value) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters long."
    return ""


def _wrong_number(element: Json, value: str) -> str:
    bare = value.removeprefix("-")
    whole, point, part = bare.partition(".")
    sound = whole.isdecimal() and (not point or (part.isdecimal() and element["is_decimal_allowed"]))
    return "" if sound else "Must be a valid number."
