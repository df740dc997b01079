// Modals: drawn from a view, kept in step with it, and submitted or closed.

import { blocks, control, read, restore } from "./blocks.js";
import { el, icon, post } from "./dom.js";
import { text } from "./mrkdwn.js";

const dialog = document.getElementById("modal");
let shown = { id: "", hash: "" };
let opener = null;

/** Show the view a user has on top, or none. What was typed stays where a field of the same name stays. */
export function showModal(view, me) {
  if (!view) {
    if (dialog.open) dialog.close();
    if (shown.id) opener?.focus();
    shown = { id: "", hash: "" };
    return;
  }
  if (view.id !== shown.id || view.hash !== shown.hash) draw(view, me);
  showErrors(view.errors);
  if (!dialog.open) {
    opener = document.activeElement;
    dialog.showModal();
    (dialog.querySelector("[data-focus]") ?? dialog.querySelector(".m-body [data-action]"))?.focus();
  }
}

function draw(view, me) {
  const before = view.id === shown.id ? values() : {};
  shown = { id: view.id, hash: view.hash };
  const { body } = view;
  const act = (part, block, value) => post("click", {
    ts: view.id, action_id: part.action_id, block_id: block.block_id, value, user: me.user, channel: me.channel, values: values(),
  });
  dialog.replaceChildren(el("form", { method: "dialog", novalidate: true, onsubmit: (event) => submit(event, view, me) },
    el("header", {},
      el("img", { src: "/assets/mark.svg", alt: "", class: "m-mark" }),
      el("h2", { id: "modal-title" }, text(body.title)),
      el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => close(view) }, icon("close"))),
    el("div", { class: "m-body" }, blocks(body.blocks, act, (block) => inputBlock(block, act))),
    el("p", { class: "m-trouble", role: "alert", hidden: true }),
    el("footer", {},
      el("button", { type: "button", class: "b-button", onclick: () => close(view) }, body.close ? text(body.close) : "Cancel"),
      body.submit && el("button", { type: "submit", class: "b-button primary", "data-testid": "submit" }, el("span", {}, text(body.submit))))));
  for (const field of fields()) {
    const held = before[field.dataset.block]?.[field.dataset.action];
    if (held !== undefined) restore(field, held);
  }
  dialog.oncancel = (event) => { event.preventDefault(); close(view); };
}

function inputBlock(block, act) {
  const part = block.element;
  const changed = () => { if (block.dispatch_action) act(part, block, read(field)); };
  const field = control(part, changed);
  const [id, several] = [`in-${block.block_id}`, field.matches("fieldset")];
  field.dataset.block = block.block_id;
  if (part.focus_on_load) field.dataset.focus = "";
  field.id = id;
  field.setAttribute("aria-describedby", `${id}-error`);
  if (several) field.setAttribute("aria-labelledby", `${id}-label`);
  return el("div", { class: "m-input", "data-input": block.block_id },
    el(several ? "span" : "label", { class: "m-label", id: `${id}-label`, for: several ? null : id },
      text(block.label), block.optional && el("small", {}, " (optional)")),
    field,
    el("p", { class: "m-error", id: `${id}-error`, role: "alert", hidden: true }),
    block.hint && el("p", { class: "m-hint" }, text(block.hint)));
}

const fields = () => [...dialog.querySelectorAll("[data-block]")];

function values() {
  const held = {};
  for (const field of fields()) (held[field.dataset.block] ??= {})[field.dataset.action] = read(field);
  return held;
}

function showErrors(errors) {
  for (const place of dialog.querySelectorAll("[data-input]")) {
    const [words, field] = [errors[place.dataset.input] ?? "", place.querySelector("[data-block]")];
    const line = place.querySelector(".m-error");
    if (line.textContent !== words) line.textContent = words;
    line.hidden = !words;
    if (words) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const trouble = dialog.querySelector(".m-trouble");
  trouble.textContent = errors[""] ?? "";
  trouble.hidden = !errors[""];
}

async function submit(event, view, me) {
  event.preventDefault();
  const button = dialog.querySelector("[type=submit]");
  if (!button || button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  const { errors } = await post("submit", { view: view.id, values: values(), user: me.user });
  button.disabled = false;
  button.removeAttribute("aria-busy");
  if (errors) {
    showErrors(errors);
    dialog.querySelector("[aria-invalid]")?.focus();
  }
}

const close = (view) => post("close", { view: view.id });
