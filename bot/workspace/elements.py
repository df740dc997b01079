"""What Slack accepts inside a block: buttons, menus, inputs, options, rich text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.workspace.shapes import (
    ID_LENGTH,
    Check,
    Report,
    boolean,
    items,
    keys,
    number,
    one_of,
    pattern,
    plain,
    string,
    text,
    typed,
    url,
)

ANY_STRING = string(100_000)
ACTION_ID = string(ID_LENGTH)
DATE = pattern(r"\d{4}-\d{2}-\d{2}", "a date like 2026-02-07")
TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d", "a time like 09:30")

CONFIRM = keys(
    {
        "title": plain(100),
        "text": text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": one_of("primary", "danger"),
    },
    ["title", "text", "confirm", "deny"],
)


def _option(*, url_allowed: bool = False) -> Check:
    known: dict[str, Check] = {"text": text(75), "value": string(150), "description": text(75)}
    return keys(known | {"url": url} if url_allowed else known, ["text", "value"])


def _plain_option() -> Check:
    return keys({"text": plain(75), "value": string(150), "description": plain(75)}, ["text", "value"])


OPTION, MENU_OPTION, OVERFLOW_OPTION = _option(), _plain_option(), _option(url_allowed=True)
OPTION_GROUP = keys({"label": plain(75), "options": items(MENU_OPTION, 1, 100)}, ["label", "options"])
DISPATCH_CONFIG = keys(
    {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 1, 2)}, ["trigger_actions_on"]
)


def _element(known: Mapping[str, Check], required: Iterable[str] = ()) -> Check:
    """An interactive element: `action_id` is always allowed (Slack makes one up where there is none)."""
    return keys({"type": ANY_STRING, "action_id": ACTION_ID, **known}, list(required))


def _values(options: Any) -> list[Any]:
    return [option.get("value") for option in options if isinstance(option, dict)] if isinstance(options, list) else []


def _menu(known: Mapping[str, Check], option: Check, most: int, *, grouped: bool) -> Check:
    """A list to choose from: its initial choice must be one of its options, and option values must differ."""
    fields: dict[str, Check] = {**known, "options": items(option, 1, most)}
    if grouped:
        fields["option_groups"] = items(OPTION_GROUP, 1, 100)
    shape = _element(fields)

    def check(report: Report, value: Any, path: str) -> None:
        shape(report, value, path)
        if ("options" in value) == ("option_groups" in value):
            report.add(path, "must have options" + (" or option_groups, and not both" if grouped else ""))
        groups = value.get("option_groups") or []
        offered = _values(value.get("options"))
        offered += [v for group in groups if isinstance(group, dict) for v in _values(group.get("options"))]
        if len(set(map(str, offered))) < len(offered):
            report.add(path, "option values must be unique")
        initial = [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
        if any(chosen not in offered for chosen in _values(initial)):
            report.add(path, "initial option must be one of the options")

    return check


_ASK: dict[str, Check] = {"placeholder": plain(150), "focus_on_load": boolean}
_CONFIRMED: dict[str, Check] = {"confirm": CONFIRM, "focus_on_load": boolean}
_PICK: dict[str, Check] = {"placeholder": plain(150), **_CONFIRMED}
_PICK_MANY: dict[str, Check] = {**_PICK, "max_selected_items": number(1, 100)}
_TYPED_IN: dict[str, Check] = {**_ASK, "initial_value": string(3000), "dispatch_action_config": DISPATCH_CONFIG}

IMAGE_FIELDS: dict[str, Check] = {"type": ANY_STRING, "image_url": url, "alt_text": string(2000)}


def slack_file(report: Report, value: Any, path: str) -> None:
    """A file uploaded before, by id or address."""
    keys({"id": ANY_STRING, "url": ANY_STRING})(report, value, path)
    if not isinstance(value, dict):
        return
    named = str(value.get("id") or str(value.get("url", "")).rsplit("/", 1)[-1])
    if len(value) != 1 or named not in report.files:
        report.add(path, "invalid slack file")


def image(known: Mapping[str, Check]) -> Check:
    """An image by exactly one of `image_url` and `slack_file`."""
    shape = keys({**IMAGE_FIELDS, "slack_file": slack_file, **known}, ["alt_text"])

    def check(report: Report, value: Any, path: str) -> None:
        shape(report, value, path)
        if ("image_url" in value) == ("slack_file" in value):
            report.add(path, "must have exactly one of image_url and slack_file")

    return check


ELEMENTS: dict[str, Check] = {
    "image": image({}),
    "button": _element(
        {
            "text": plain(75),
            "value": string(2000),
            "url": url,
            "style": one_of("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
        ["text"],
    ),
    "overflow": _menu({"confirm": CONFIRM}, OVERFLOW_OPTION, 5, grouped=False),
    "static_select": _menu({**_PICK, "initial_option": MENU_OPTION}, MENU_OPTION, 100, grouped=True),
    "multi_static_select": _menu(
        {**_PICK_MANY, "initial_options": items(MENU_OPTION, 1, 100)}, MENU_OPTION, 100, grouped=True
    ),
    "checkboxes": _menu({**_CONFIRMED, "initial_options": items(OPTION, 1, 10)}, OPTION, 10, grouped=False),
    "radio_buttons": _menu({**_CONFIRMED, "initial_option": OPTION}, OPTION, 10, grouped=False),
    "users_select": _element({**_PICK, "initial_user": ANY_STRING}),
    "channels_select": _element({**_PICK, "initial_channel": ANY_STRING, "response_url_enabled": boolean}),
    "conversations_select": _element({**_PICK, "initial_conversation": ANY_STRING, "response_url_enabled": boolean}),
    "datepicker": _element({**_PICK, "initial_date": DATE}),
    "timepicker": _element({**_PICK, "initial_time": TIME, "timezone": ANY_STRING}),
    "datetimepicker": _element({**_CONFIRMED, "initial_date_time": number(0, 9_999_999_999)}),
    "plain_text_input": _element(
        {**_TYPED_IN, "multiline": boolean, "min_length": number(0, 3000), "max_length": number(1, 3000)}
    ),
    "number_input": _element(
        {**_TYPED_IN, "is_decimal_allowed": boolean, "min_value": string(100), "max_value": string(100)},
        ["is_decimal_allowed"],
    ),
    "email_text_input": _element(_TYPED_IN),
    "url_text_input": _element(_TYPED_IN),
}

_MENUS = {
    "static_select", "multi_static_select", "users_select", "channels_select", "conversations_select",
    "datepicker", "checkboxes", "radio_buttons", "timepicker",
}  # fmt: skip


def _elements(kinds: Iterable[str], where: str) -> Check:
    return typed({kind: ELEMENTS[kind] for kind in kinds}, where)


IN_SECTION = _elements(_MENUS | {"image", "button", "overflow"}, "a section's accessory")
IN_ACTIONS = _elements(_MENUS | {"button", "overflow", "datetimepicker"}, "an actions block")
IN_INPUT = _elements(
    _MENUS | {"datetimepicker", "plain_text_input", "number_input", "email_text_input", "url_text_input"},
    "an input block",
)
IN_CONTEXT = typed({"image": ELEMENTS["image"], "mrkdwn": text(3000), "plain_text": text(3000)}, "a context block")


_STYLE = keys(dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean))
_SPAN: dict[str, Check] = {"type": ANY_STRING, "style": _STYLE}


def _span(known: Mapping[str, Check], *required: str) -> Check:
    return keys({**_SPAN, **known}, required)


SPANS: dict[str, Check] = {
    "text": _span({"text": ANY_STRING}, "text"),
    "link": _span({"url": url, "text": ANY_STRING, "unsafe": boolean}, "url"),
    "user": _span({"user_id": ANY_STRING}, "user_id"),
    "usergroup": _span({"usergroup_id": ANY_STRING}, "usergroup_id"),
    "channel": _span({"channel_id": ANY_STRING}, "channel_id"),
    "emoji": _span({"name": ANY_STRING, "unicode": ANY_STRING}, "name"),
    "broadcast": _span({"range": one_of("here", "channel", "everyone")}, "range"),
    "color": _span({"value": pattern(r"#[0-9a-fA-F]{6}", "a colour like #aabbcc")}, "value"),
    "date": _span(
        {"timestamp": number(0, 9_999_999_999), "format": ANY_STRING, "url": url, "fallback": ANY_STRING},
        "timestamp",
        "format",
    ),
}
_LINE = typed(SPANS, "rich text")
_RICH: dict[str, Check] = {"type": ANY_STRING, "elements": items(_LINE, 1, 1000), "border": number(0, 1)}
_RICH_SECTION = keys({"type": ANY_STRING, "elements": items(_LINE, 0, 1000)}, ["elements"])
RICH_TEXT_PARTS = typed(
    {
        "rich_text_section": _RICH_SECTION,
        "rich_text_quote": keys(_RICH, ["elements"]),
        "rich_text_preformatted": keys({**_RICH, "language": ANY_STRING}, ["elements"]),
        "rich_text_list": keys(
            {
                **_RICH,
                "elements": items(typed({"rich_text_section": _RICH_SECTION}, "a list"), 1, 1000),
                "style": one_of("bullet", "ordered"),
                "indent": number(0, 8),
                "offset": number(0, 100_000),
            },
            ["elements", "style"],
        ),
    },
    "a rich_text block",
)
