// Block Kit, drawn. `act(element, block, value)` is called when something is pressed and resolves to {} or {error}.

import { el, icon } from "./dom.js";
import { emoji, plain } from "./emoji.js";
import { context, date, link, mention, text, user } from "./mrkdwn.js";

/** A message's or view's blocks as nodes. `input` draws input blocks, where there may be any. */
export function blocks(list, act, input) {
  return list.map((block) => {
    const draw = block.type === "input" ? input : DRAW[block.type];
    return draw ? draw(block, act) : el("p", { class: "unknown" }, `[${block.type}]`);
  });
}

const DRAW = {
  section: (block, act) => el("div", { class: "b-section" },
    el("div", { class: "b-text" },
      block.text && el("div", { class: "rich" }, text(block.text)),
      block.fields && el("div", { class: "b-fields" }, block.fields.map((field) => el("div", {}, text(field))))),
    block.accessory && el("div", { class: "b-accessory" }, element(block.accessory, block, act))),
  header: (block) => el("h3", { class: "b-header" }, text(block.text)),
  divider: () => el("hr"),
  context: (block) => el("div", { class: "b-context" }, block.elements.map((part) =>
    (part.type === "image" ? picture(part) : el("span", {}, text(part))))),
  actions: (block, act) => el("div", { class: "b-actions" }, block.elements.map((part) => element(part, block, act))),
  image: (block) => el("figure", { class: "b-image" }, block.title && el("figcaption", {}, text(block.title)), picture(block)),
  rich_text: (block) => el("div", { class: "rich" }, block.elements.map(rich)),
  table: (block) => el("div", { class: "b-table", tabindex: "0" }, el("table", {}, el("tbody", {}, block.rows.map((row, y) =>
    el("tr", {}, row.map((cell, x) => tableCell(cell, block.column_settings?.[x] ?? {}, y))))))),
};

function tableCell(cell, column, y) {
  const inside = cell.type === "raw_text" ? plain(cell.text) : cell.elements.map(rich);
  const look = [column.align && `to-${column.align}`, column.is_wrapped && "wraps"].filter(Boolean).join(" ");
  return el(y ? "td" : "th", { class: look || null, scope: y ? null : "col" }, inside);
}

// Pictures come from this workspace only; the page loads nothing from elsewhere.
function picture(image) {
  const file = image.slack_file?.id ?? image.slack_file?.url?.split("/").at(-1);
  if (file) return el("img", { src: `/files/${encodeURIComponent(file)}`, alt: image.alt_text, title: image.alt_text });
  return el("span", { class: "no-picture", role: "img", "aria-label": image.alt_text }, image.alt_text);
}

// Rich text

function rich(part) {
  const inside = () => part.elements.flatMap(span);
  switch (part.type) {
    case "rich_text_section": return el("div", {}, inside());
    case "rich_text_quote": return el("blockquote", {}, inside());
    case "rich_text_preformatted": return el("pre", {}, inside());
    case "rich_text_list": {
      const tag = part.style === "ordered" ? "ol" : "ul";
      const start = part.style === "ordered" && part.offset ? part.offset + 1 : null;
      return el(tag, { class: `indent-${part.indent ?? 0}`, start }, part.elements.map((item) => el("li", {}, item.elements.flatMap(span))));
    }
    default: return "";
  }
}

function span(part) {
  const draw = {
    text: () => plain(part.text),
    link: () => link(part.url, part.text),
    user: () => user(part.user_id),
    usergroup: () => mention(`@${part.usergroup_id}`, false),
    channel: () => mention(`#${context.channels[part.channel_id] || part.channel_id}`, false),
    broadcast: () => mention(`@${part.range}`, true),
    emoji: () => emoji(part.name),
    color: () => part.value,
    date: () => date(part.timestamp, part.format) ?? part.fallback ?? "",
  }[part.type];
  const tags = { bold: "b", italic: "i", strike: "s", code: "code" };
  return Object.entries(tags).reduce(
    (nodes, [style, tag]) => (part.style?.[style] ? [el(tag, {}, nodes)] : nodes), [draw ? draw() : ""].flat());
}

// Things to press

function element(part, block, act) {
  const draw = { image: picture, button, overflow }[part.type] ?? field;
  return draw(part, block, act);
}

/** Runs an act with its control disabled meanwhile, asking first where the element says so. */
async function run(control, part, block, act, value) {
  if (part.confirm && !(await confirmed(part.confirm))) return;
  control.setAttribute("aria-busy", "true");
  control.disabled = true;
  const { error } = await act(part, block, value);
  control.removeAttribute("aria-busy");
  control.disabled = false;
  const place = control.closest(".b-actions, .b-section") ?? control.parentElement;
  place.querySelector(".b-error")?.remove();
  if (error) place.append(el("p", { class: "b-error", role: "alert" }, `That did not work: ${error}`));
}

function button(part, block, act) {
  const node = el("button", {
    type: "button",
    class: `b-button ${part.style ?? ""}`,
    "data-action": part.action_id,
    "aria-label": part.accessibility_label,
    onclick: () => {
      if (part.url) window.open(part.url, "_blank", "noopener,noreferrer");
      return run(node, part, block, act, null);
    },
  }, el("span", {}, text(part.text)));
  return node;
}

function overflow(part, block, act) {
  const list = el("div", { class: "b-menu", role: "menu", hidden: true }, part.options.map((option) =>
    el("button", { type: "button", role: "menuitem", onclick: () => { show(false); run(toggle, part, block, act, option.value); } },
      text(option.text), option.description && el("small", {}, text(option.description)))));
  const toggle = el("button", {
    type: "button", class: "b-button b-more", "data-action": part.action_id, "aria-label": "More actions",
    "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => show(list.hidden),
  }, icon("more"));
  function show(open) {
    list.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const [place, room] = [list.getBoundingClientRect(), (list.closest("#scroll, #thread-body, .m-body") ?? document.body).getBoundingClientRect()];
    list.classList.toggle("up", list.classList.contains("up") || place.bottom > room.bottom);
    list.classList.toggle("start", list.classList.contains("start") || place.left < room.left);
    list.firstElementChild.focus();
  }
  return el("span", {
    class: "b-overflow",
    onkeydown: (event) => { if (event.key === "Escape" && !list.hidden) { show(false); toggle.focus(); event.stopPropagation(); } },
    onfocusout: (event) => { if (!event.currentTarget.contains(event.relatedTarget)) show(false); },
  }, toggle, list);
}

/** A field within a message or a section: it acts as soon as it changes. */
function field(part, block, act) {
  const node = control(part, () => run(node, part, block, act, read(node)));
  return node;
}

// Fields, here and in modals

/** The control for any element that holds a value; `changed` is called when it does. */
export function control(part, changed = () => {}) {
  const draw = CONTROLS[part.type];
  const node = draw ? draw(part) : el("input", { type: "text", class: "c-text", value: part.initial_value ?? "" });
  node.dataset.action = part.action_id;
  node.dataset.kind = part.type;
  node.addEventListener("change", changed);
  return node;
}

const options = (part) => part.options ?? [];
const optionNode = (option, chosen) => el("option", { value: option.value, selected: chosen === option.value }, option.text.text);

function select(part, choices, chosen) {
  const empty = el("option", { value: "" }, part.placeholder?.text ?? "Select an option");
  return el("select", { class: "c-select" }, empty, choices(chosen));
}

function staticSelect(part) {
  const choices = (chosen) => (part.option_groups
    ? part.option_groups.map((group) => el("optgroup", { label: group.label.text }, group.options.map((o) => optionNode(o, chosen))))
    : options(part).map((o) => optionNode(o, chosen)));
  return select(part, choices, part.initial_option?.value);
}

function named(part, names, chosen) {
  return select(part, () => Object.entries(names).map(([id, name]) => el("option", { value: id, selected: id === chosen }, name)));
}

let groups = 0;
function choice(part, type) {
  const name = `choice-${(groups += 1)}`;
  const chosen = (part.initial_options ?? [part.initial_option]).filter(Boolean).map((o) => o.value);
  return el("fieldset", { class: "c-choice" }, options(part).map((option) => el("label", {},
    el("input", { type, name, value: option.value, checked: chosen.includes(option.value) }),
    el("span", {}, text(option.text), option.description && el("small", {}, text(option.description))))));
}

function typed(part, type, more = {}) {
  const props = { class: "c-text", placeholder: part.placeholder?.text, minlength: part.min_length, maxlength: part.max_length, ...more };
  return part.multiline
    ? el("textarea", { ...props, rows: "4", value: part.initial_value ?? "" })
    : el("input", { ...props, type, value: part.initial_value ?? "" });
}

const CONTROLS = {
  static_select: staticSelect,
  multi_static_select: (part) => choice(part, "checkbox"),
  checkboxes: (part) => choice(part, "checkbox"),
  radio_buttons: (part) => choice(part, "radio"),
  users_select: (part) => named(part, context.users, part.initial_user),
  conversations_select: (part) => named(part, context.channels, part.initial_conversation),
  channels_select: (part) => named(part, context.channels, part.initial_channel),
  datepicker: (part) => el("input", { type: "date", class: "c-text", value: part.initial_date ?? "" }),
  timepicker: (part) => el("input", { type: "time", class: "c-text", value: part.initial_time ?? "" }),
  datetimepicker: (part) => el("input", { type: "datetime-local", class: "c-text", value: local(part.initial_date_time) }),
  plain_text_input: (part) => typed(part, "text"),
  number_input: (part) => typed(part, "text", { inputmode: part.is_decimal_allowed ? "decimal" : "numeric" }),
  email_text_input: (part) => typed(part, "email"),
  url_text_input: (part) => typed(part, "url"),
};

function local(seconds) {
  if (!seconds) return "";
  const when = new Date(seconds * 1000);
  return new Date(when - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What a control holds, in the short form the server understands: text, an option's value, a list of them, or null. */
export function read(node) {
  const checked = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  switch (node.dataset.kind) {
    case "checkboxes":
    case "multi_static_select": return checked();
    case "radio_buttons": return checked()[0] ?? null;
    case "datetimepicker": return node.value ? Math.floor(new Date(node.value) / 1000) : null;
    default: return node.value || null;
  }
}

/** Put back what a control held before it was drawn anew. */
export function restore(node, value) {
  const several = [value].flat().filter((v) => v !== null);
  if (node.matches("fieldset")) for (const box of node.querySelectorAll("input")) box.checked = several.includes(box.value);
  else node.value = node.dataset.kind === "datetimepicker" ? local(value) : value ?? "";
}

function confirmed(ask) {
  const dialog = document.getElementById("confirm");
  return new Promise((resolve) => {
    const end = (answer) => () => { dialog.close(); resolve(answer); };
    dialog.replaceChildren(
      el("h2", { id: "confirm-title" }, text(ask.title)),
      el("div", { class: "m-body" }, text(ask.text)),
      el("footer", {},
        el("button", { type: "button", class: "b-button", onclick: end(false) }, text(ask.deny)),
        el("button", { type: "button", class: `b-button ${ask.style ?? "primary"}`, onclick: end(true) }, text(ask.confirm))));
    dialog.oncancel = end(false);
    dialog.showModal();
  });
}
