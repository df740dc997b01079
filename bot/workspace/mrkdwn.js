// Slack's mrkdwn, as Slack shows it: *bold* _italic_ ~struck~ `code`, quotes, links, mentions, dates, a few emoji.

import { el } from "./dom.js";
import { emoji, known, plain } from "./emoji.js";

/** Who is who, and what time it is: set by the page with each piece of news. */
export const context = { users: {}, channels: {}, me: "", now: () => Date.now() };

const INLINE = new RegExp([
  /`(?<code>[^`\n]+)`/,
  /<(?<angle>[^<>\n]+)>/,
  /(?<![\w*])\*(?<bold>\S|\S[^*\n]*?\S)\*(?![\w*])/,
  /(?<![\w_])_(?<italic>\S|\S[^_\n]*?\S)_(?![\w_])/,
  /(?<![\w~])~(?<struck>\S|\S[^~\n]*?\S)~(?![\w~])/,
  /:(?<emoji>[a-z0-9_+-]+):/,
].map((part) => part.source).join("|"), "g");
const LETTERS = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

const unescape = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => LETTERS[entity]);

/** Slack's text as nodes: fenced code, quotes, and lines. */
export function mrkdwn(text) {
  return text.split(/```\n?([\s\S]+?)```\n?/).flatMap((part, index) =>
    index % 2 ? [el("pre", {}, unescape(part.replace(/\n$/, "")))] : lines(part));
}

/** A text object: mrkdwn, or plain text in which only emoji mean anything. */
export function text(object) {
  if (object.type === "mrkdwn") return mrkdwn(object.text);
  return object.text.split(/(:[a-z0-9_+-]+:)/).flatMap((part) => {
    const name = /^:(.+):$/.exec(part)?.[1];
    return name ? emoji(name) : plain(part);
  });
}

function lines(text) {
  const found = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    const target = quoted ? (quote ??= el("blockquote")) : found;
    if (quoted && !found.includes(quote)) found.push(quote);
    if (!quoted) quote = null;
    const nodes = inline(quoted ? quoted[1] : line);
    if (quoted) target.append(...(target.childNodes.length ? [el("br")] : []), ...nodes);
    else found.push(...(found.length && found.at(-1).nodeName !== "BLOCKQUOTE" ? [el("br")] : []), ...nodes);
  }
  return found;
}

function inline(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    found.push(...plain(unescape(text.slice(end, match.index))), ...marked(match));
    end = match.index + match[0].length;
  }
  return [...found, ...plain(unescape(text.slice(end)))];
}

function marked({ groups, index, 0: whole }) {
  if (groups.code !== undefined) return [el("code", {}, unescape(groups.code))];
  if (groups.angle !== undefined) return [angle(groups.angle, index === 0)];
  if (groups.bold !== undefined) return [el("b", {}, ...inline(groups.bold))];
  if (groups.italic !== undefined) return [el("i", {}, ...inline(groups.italic))];
  if (groups.struck !== undefined) return [el("s", {}, ...inline(groups.struck))];
  return [known(groups.emoji) ? emoji(groups.emoji) : whole];
}

/** What stands between < and >: a link, a mention or a date. `first`: nothing stands before it. */
function angle(inside, first) {
  const [target, label] = [inside.split("|", 1)[0], inside.includes("|") ? inside.slice(inside.indexOf("|") + 1) : ""];
  if (target.startsWith("!date^")) return dated(target, label, first);
  if (target.startsWith("!subteam^")) return mention(label || `@${target.slice(9)}`, false);
  if (/^!(here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`, true);
  if (target.startsWith("@")) return user(target.slice(1), label);
  if (target.startsWith("#")) return el("span", { class: "mention" }, `#${context.channels[target.slice(1)] || label || target.slice(1)}`);
  return link(unescape(target), unescape(label));
}

export const mention = (words, mine) => el("span", { class: mine ? "mention mine" : "mention" }, words);
export const user = (id, label) => mention(`@${context.users[id] || label || id}`, id === context.me);

/** A link, if it is one that a page should follow; else its words. */
export function link(url, label) {
  if (!/^(https?:|mailto:)/.test(url)) return document.createTextNode(label || url);
  const here = url.startsWith(`${location.origin}/archives/`);
  const words = label || url.replace(/^mailto:/, "");
  return el("a", { href: url, ...(here ? { "data-permalink": url } : { target: "_blank", rel: "noopener noreferrer" }) }, words);
}

function dated(target, fallback, first) {
  const [, seconds, format, url] = target.split("^");
  const found = date(Number(seconds), format) ?? fallback;
  const words = first ? found[0]?.toUpperCase() + found.slice(1) : found;
  const node = el("time", { datetime: iso(Number(seconds)), title: unescape(fallback) }, words);
  return url ? el("a", { href: /^https?:/.test(url) ? url : null, target: "_blank", rel: "noopener noreferrer" }, node) : node;
}

const iso = (seconds) => (Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString() : null);
const show = (when, options) => when.toLocaleString("en-US", options);
const day = (when) => Math.round(new Date(when.getFullYear(), when.getMonth(), when.getDate()) / 86_400_000);

function ordinal(n) {
  const teen = n % 100 > 10 && n % 100 < 14;
  return n + ((!teen && { 1: "st", 2: "nd", 3: "rd" }[n % 10]) || "th");
}

function pretty(when, otherwise) {
  const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" };
  return near[day(when) - day(new Date(context.now()))] ?? otherwise;
}

/** "2:15 PM" in the reader's zone. */
export const time = (when) => show(when, { hour: "numeric", minute: "2-digit" });
/** "Saturday, February 7th" as on a divider; today and yesterday by name. */
export function dayName(when) {
  const name = pretty(when, "");
  if (name) return name[0].toUpperCase() + name.slice(1);
  const year = when.getFullYear() === new Date(context.now()).getFullYear() ? "" : `, ${when.getFullYear()}`;
  return `${show(when, { weekday: "long" })}, ${show(when, { month: "long" })} ${ordinal(when.getDate())}${year}`;
}

/** A date by Slack's format string, in the reader's zone; null where it makes no sense. */
export function date(seconds, format) {
  const when = new Date(seconds * 1000);
  if (Number.isNaN(when.getTime()) || !format) return null;
  const long = `${show(when, { month: "long" })} ${ordinal(when.getDate())}, ${when.getFullYear()}`;
  const short = show(when, { month: "short", day: "numeric", year: "numeric" });
  const pad = (n) => String(n).padStart(2, "0");
  const tokens = {
    date_num: `${when.getFullYear()}-${pad(when.getMonth() + 1)}-${pad(when.getDate())}`,
    date: long, date_short: short, date_long: `${show(when, { weekday: "long" })}, ${long}`,
    date_pretty: pretty(when, long), date_short_pretty: pretty(when, short),
    date_long_pretty: pretty(when, `${show(when, { weekday: "long" })}, ${long}`),
    day_divider_pretty: dayName(when),
    time: time(when), time_secs: show(when, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: ago((context.now() - when) / 1000),
  };
  return format.replace(/\{(\w+)\}/g, (token, name) => tokens[name] ?? token);
}

function ago(seconds) {
  const size = Math.abs(seconds);
  const [unit, length] = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, s]) => size >= s) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en").format(-Math.round(seconds / length), unit);
}
