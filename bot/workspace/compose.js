// The box at the bottom: commands with suggestions, earlier lines with the arrow key, Enter to send.

import { el, icon } from "./dom.js";

export class Composer {
  /** `send(line)` passes a command on and resolves to {} or {error}. */
  constructor(form, send) {
    [this.form, this.passOn] = [form, send];
    [this.box, this.button] = [form.querySelector("#compose"), form.querySelector("#send")];
    [this.list, this.hint] = [form.querySelector("#suggestions"), form.querySelector("#hint")];
    [this.commands, this.lines, this.at, this.picked] = [{}, [], 0, -1];
    this.button.append(icon("send"));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("blur", () => setTimeout(() => document.activeElement === this.box || this.suggest([]), 150));
    this.typed();
  }

  place(channel, { hidden, archived }) {
    this.form.hidden = hidden;
    this.box.disabled = Boolean(archived);
    this.box.placeholder = archived ? "This channel is archived" : channel ? `Message #${channel} — type / for commands` : "Type / for commands";
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.box.focus();
  }

  typed() {
    this.hint.textContent = "";
    this.button.disabled = !this.box.value.trim();
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    const word = /^\/\S*$/.exec(this.box.value)?.[0];
    this.suggest(word ? Object.keys(this.commands).filter((name) => name.startsWith(word)) : []);
  }

  suggest(names) {
    this.picked = names.length ? 0 : -1;
    this.list.hidden = !names.length;
    this.box.setAttribute("aria-expanded", String(names.length > 0));
    this.list.replaceChildren(...names.map((name, index) => el("li", {
      id: `suggestion-${index}`, role: "option", "data-name": name,
      onmousedown: (event) => { event.preventDefault(); this.take(name); },
    }, el("b", {}, name), el("span", {}, this.commands[name]))));
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.picked)));
    this.list.children[this.picked]?.scrollIntoView({ block: "nearest" });
    if (this.picked < 0) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", `suggestion-${this.picked}`);
  }

  take(name) {
    this.box.value = `${name} `;
    this.typed();
    this.box.focus();
  }

  key(event) {
    const open = !this.list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return;
    if (open && step) {
      this.picked = (this.picked + step + this.list.children.length) % this.list.children.length;
      this.mark();
    } else if (open && event.key === "Escape") {
      this.suggest([]);
      event.stopPropagation();
    } else if (open && (event.key === "Tab" || event.key === "Enter") && this.box.value !== this.chosen) {
      this.take(this.chosen);
    } else if (event.key === "Enter" && !event.shiftKey) {
      this.send();
    } else if (step && (this.box.value === "" || this.box.value === this.lines[this.at])) {
      this.recall(step);
    } else return;
    event.preventDefault();
  }

  get chosen() {
    return this.list.children[this.picked]?.dataset.name;
  }

  recall(step) {
    this.at = Math.max(0, Math.min(this.lines.length, this.at + step));
    this.box.value = this.lines[this.at] ?? "";
    this.typed();
    this.suggest([]);
  }

  async send() {
    const line = this.box.value.trim();
    if (!line || this.form.hasAttribute("aria-busy")) return;
    if (!line.startsWith("/")) return this.say("This box takes commands: type / to see them.");
    const [word] = line.split(/\s/);
    if (Object.keys(this.commands).length && !(word in this.commands)) return this.say(`${word} is not a valid command. Type / to see those there are.`);
    this.lines.push(line);
    this.at = this.lines.length;
    this.box.value = "";
    this.typed();
    this.form.setAttribute("aria-busy", "true");
    const { error } = await this.passOn(line);
    this.form.removeAttribute("aria-busy");
    if (error) this.say(`${word} failed: ${error}`);
  }

  say(words) {
    this.hint.textContent = words;
  }
}
