// The page: shows one user's Slack, follows the news, and passes on what they type and press.

import { blocks } from "./blocks.js";
import { el, icon, post } from "./dom.js";
import { showModal } from "./modal.js";
import { context, dayName, mrkdwn, time } from "./mrkdwn.js";
import { Composer } from "./compose.js";

const $ = (id) => document.getElementById(id);
const SLACKBOT = "USLACKBOT";
const NEAR_BOTTOM = 80; // px from the end within which new messages are followed
const GROUP_S = 300; // messages of one author within five minutes share a name

const me = { user: sessionStorage.getItem("user") ?? "", channel: "", thread: "", home: false };
const read = {}; // newest ts seen, by user and channel
let world = null;

// News

let asking = false;
let again = false;

/** Fetch what the workspace looks like and draw it; a second call meanwhile means: once more. */
async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    const query = new URLSearchParams({ user: me.user, channel: me.channel, thread: me.thread });
    const answer = await fetch(`/page/state?${query}`).then((r) => r.json()).catch(() => null);
    if (answer) {
      world = answer;
      if (settle()) again = true;
      else draw();
    }
  } while (again);
  asking = false;
}

/** Choose a user and a channel where none is chosen yet. True if that changed what must be asked for. */
function settle() {
  const people = world.users.filter((u) => !u.is_bot);
  const before = `${me.user} ${me.channel}`;
  if (!people.some((u) => u.id === me.user)) me.user = people[0]?.id ?? "";
  if (!world.channels.some((c) => c.id === me.channel)) me.channel = fromAddress() ?? world.channels[0]?.id ?? "";
  return before !== `${me.user} ${me.channel}`;
}

function fromAddress() {
  const wanted = decodeURIComponent(location.hash.slice(1)) || location.pathname.split("/")[2];
  return world.channels.find((c) => wanted && (c.name === wanted || c.id === wanted))?.id;
}

function follow() {
  const line = $("line");
  const news = new EventSource("/page/news");
  const say = (state, words) => { line.className = state; line.title = words; line.textContent = state === "live" ? "" : words; };
  news.onopen = () => say("live", "Connected");
  news.onmessage = refresh;
  news.onerror = () => {
    say("lost", "Reconnecting…");
    if (news.readyState === EventSource.CLOSED) setTimeout(follow, 1000);
  };
}

// Drawing

function draw() {
  const clock = [world.now * 1000, performance.now()];
  context.now = () => clock[0] + performance.now() - clock[1];
  context.me = me.user;
  context.users = Object.fromEntries([...world.users.map((u) => [u.id, u.name]), [SLACKBOT, "Slackbot"]]);
  context.channels = Object.fromEntries(world.channels.filter((c) => !c.direct).map((c) => [c.id, c.name]));
  composer.commands = world.commands;
  drawFrame();
  drawMessages();
  drawThread();
  drawHome();
  showModal(world.modal, me);
}

const frames = new WeakMap(); // list -> what it was drawn from: it keeps its focus while that stays the same

function redraw(list, from, make) {
  const signature = JSON.stringify(from);
  if (frames.get(list) !== signature) list.replaceChildren(...make());
  frames.set(list, signature);
}

function drawFrame() {
  $("note").textContent = world.note;
  $("note").hidden = !world.note;
  $("team-name").textContent = world.team;
  const here = world.channels.find((c) => c.id === me.channel);
  if (here && !me.home) read[`${me.user} ${here.id}`] = here.latest;
  const listed = world.channels.map((c) => ({ ...c, current: c.id === me.channel && !me.home, fresh: isFresh(c) }));
  const [directs, rooms] = [listed.filter((c) => c.direct), listed.filter((c) => !c.direct)];
  redraw($("channels"), rooms, () => rooms.map(channelItem));
  redraw($("apps"), [me.home, directs], () => [homeItem(), ...directs.map(channelItem)]);
  const people = world.users.filter((u) => !u.is_bot);
  redraw($("user"), [people, me.user], () => people.map((u) => el("option", { value: u.id, selected: u.id === me.user }, u.name)));
  const name = me.home ? world.bot.name : here?.direct ? `${world.bot.name} messages` : here?.name ?? "";
  $("title").replaceChildren(me.home || here?.direct ? "" : el("span", { class: "hash" }, here?.private ? icon("lock") : "#"), name);
  $("about").replaceChildren(...(me.home ? ["Home"] : marks(here)));
  document.title = `${me.home || !here || here.direct ? "" : "#"}${name} · ${world.team}`;
  composer.place(me.home || here?.direct ? "" : here?.name ?? "", { hidden: me.home, archived: here?.archived });
}

function marks(channel) {
  return [
    channel?.shared && el("span", { class: "tag" }, icon("people"), "Shared with another organisation"),
    channel?.archived && el("span", { class: "tag" }, "Archived"),
  ].filter(Boolean);
}

const isFresh = (channel) => (me.home || channel.id !== me.channel) && channel.latest > (read[`${me.user} ${channel.id}`] ?? "");

function channelItem(channel) {
  const { current, fresh } = channel;
  return el("li", {}, el("button", {
    type: "button",
    class: `${current ? "current" : ""} ${fresh ? "fresh" : ""}`,
    "data-channel": channel.direct ? `dm-${channel.id}` : channel.name,
    "aria-current": current ? "page" : null,
    onclick: () => go({ channel: channel.id }),
  }, el("span", { class: "hash", "aria-hidden": "true" }, channel.direct ? "@" : channel.private ? icon("lock") : "#"),
  channel.direct ? `${world.bot.name} messages` : channel.name,
  fresh && el("span", { class: "unread", role: "img", "aria-label": "unread" })));
}

function homeItem() {
  return el("li", {}, el("button", {
    type: "button", class: me.home ? "current" : "", "data-home": "", "aria-current": me.home ? "page" : null, onclick: openHome,
  }, el("img", { src: "/assets/mark.svg", alt: "", class: "mini" }), world.bot.name));
}

const drawn = new Map(); // key -> [what it was drawn from, node]: a message is redrawn only when it changed

function kept(key, from, make) {
  const signature = JSON.stringify(from);
  const held = drawn.get(key);
  if (held?.[0] === signature) return held[1];
  const node = make();
  drawn.set(key, [signature, node]);
  return node;
}

/** Make `list` show `nodes`, moving and removing only what differs, so that focus and open menus survive. */
function reconcile(list, nodes) {
  nodes.forEach((node, index) => { if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null); });
  while (list.children.length > nodes.length) list.lastElementChild.remove();
}

let shownChannel = "";
let pinned = true; // whether the end of the channel is in view, and so should stay in view
function drawMessages() {
  const [list, scroll] = [$("messages"), $("scroll")];
  const place = `${me.user} ${me.channel}`;
  const moved = place !== shownChannel;
  if (moved) drawn.clear();
  shownChannel = place;
  const atEnd = pinned = moved || pinned;
  const last = list.lastElementChild;
  list.hidden = me.home;
  reconcile(list, timeline(world.messages));
  if (!list.children.length) list.append(emptyChannel());
  stayAtEnd();
  if (!atEnd && last !== list.lastElementChild) $("newer").hidden = false;
}

function stayAtEnd() {
  if (pinned && !me.home) $("scroll").scrollTop = $("scroll").scrollHeight;
}

function emptyChannel() {
  const name = world.channels.find((c) => c.id === me.channel)?.name ?? "";
  return el("li", { class: "empty" }, el("b", {}, `This is the very beginning of #${name}.`), " Type / below to see what you can ask.");
}

function timeline(messages) {
  const nodes = [];
  let before = null;
  let day = "";
  for (const message of messages) {
    const when = new Date(message.ts * 1000);
    const name = dayName(when);
    if (name !== day) nodes.push(kept(`day ${name}`, name, () => el("li", { class: "day", role: "separator" }, el("span", {}, name))));
    const follows = name === day && before && continues(before, message);
    day = name;
    before = message;
    nodes.push(kept(`message ${message.ts}`, [message, follows, context.users], () => messageNode(message, { follows, tag: "li", thread: true })));
  }
  return nodes;
}

const continues = (before, next) => before.user === next.user && before.ephemeral === next.ephemeral && !next.command
  && !before.replies && next.ts - before.ts < GROUP_S;

function avatar(id) {
  if (id === world.bot.id) return el("img", { src: "/assets/mark.svg", alt: "", class: "avatar" });
  const name = context.users[id] ?? id;
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  const colour = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return el("span", { class: `avatar c${colour}`, "aria-hidden": "true" }, initials);
}

function messageNode(message, { follows, tag, thread }) {
  const when = new Date(message.ts * 1000);
  const stamp = el("time", { datetime: when.toISOString(), title: when.toLocaleString() }, time(when));
  const isApp = message.user === world.bot.id || message.user === SLACKBOT;
  const act = (part, block, value) => post("click", {
    ts: message.ts, action_id: part.action_id, block_id: block.block_id, value, user: me.user, channel: me.channel,
  });
  const node = el(tag, {
    class: ["message", message.ephemeral && "ephemeral", message.notice, follows && "follows"].filter(Boolean).join(" "),
    "data-ts": message.ts, "data-testid": "message", tabindex: "-1",
  },
  message.ephemeral && !follows && el("p", { class: "only" }, icon("eye"), "Only visible to you",
    message.command && el("code", {}, message.command)),
  el("div", { class: "side" }, follows ? stamp : avatar(message.user)),
  el("div", { class: "body" },
    !follows && el("div", { class: "by" }, el("b", {}, context.users[message.user] ?? message.user),
      isApp && el("span", { class: "app" }, "APP"), stamp),
    el("div", { class: "content" },
      ...(message.blocks.length ? blocks(message.blocks, act) : [el("div", { class: "rich" }, mrkdwn(message.text))])),
    thread && message.replies > 0 && threadLink(message)));
  if (message.edited) {
    const said = [...node.querySelectorAll(".content .rich, .content .b-context, .content .b-header")].at(-1);
    (said ?? node.querySelector(".content")).append(el("span", { class: "edited" }, " (edited)"));
  }
  return node;
}

function threadLink(message) {
  const last = new Date(message.latest_reply * 1000);
  return el("button", { type: "button", class: "replies", onclick: () => openThread(message.ts) },
    avatar(world.bot.id), el("b", {}, `${message.replies} ${message.replies === 1 ? "reply" : "replies"}`),
    el("span", {}, `Last reply ${dayName(last).replace(/^(Today|Yesterday)$/, (d) => d.toLowerCase())} at ${time(last)}`));
}

function drawThread() {
  const panel = $("thread");
  const thread = me.thread && !me.home ? world.thread : null;
  panel.hidden = !thread;
  document.body.classList.toggle("with-thread", Boolean(thread));
  if (!thread) return;
  $("thread-where").textContent = `#${world.channels.find((c) => c.id === me.channel)?.name ?? ""}`;
  const count = thread.replies.length;
  reconcile($("thread-body"), [
    kept("root", thread.root, () => messageNode(thread.root, { tag: "div" })),
    kept("count", count, () => el("div", { class: "count" }, el("span", {}, `${count} ${count === 1 ? "reply" : "replies"}`))),
    ...thread.replies.map((reply) => kept(`reply ${reply.ts}`, reply, () => messageNode(reply, { tag: "div" }))),
  ]);
}

let shownHome = "";
function drawHome() {
  $("home").hidden = !me.home;
  const signature = JSON.stringify([me.user, world.home]);
  if (!me.home || signature === shownHome) return;
  shownHome = signature;
  const view = world.home;
  const act = (part, block, value) => post("click", {
    ts: view.id, action_id: part.action_id, block_id: block.block_id, value, user: me.user, channel: me.channel,
  });
  $("home").replaceChildren(...(view ? blocks(view.body.blocks, act) : [el("p", { class: "empty" }, "Nothing here yet.")]));
}

// Going about

function go(change) {
  Object.assign(me, { home: false, thread: "" }, change);
  const name = world.channels.find((c) => c.id === me.channel)?.name ?? "";
  history.replaceState(null, "", me.home ? "/" : `/#${encodeURIComponent(name)}`);
  $("newer").hidden = true;
  showRail(false);
  if (!me.home) composer.focus();
  return refresh();
}

async function openHome() {
  await go({ home: true });
  await post("home", { user: me.user });
}

async function openThread(ts) {
  me.thread = ts;
  await refresh();
  $("thread-close").focus();
}

function closeThread() {
  const ts = me.thread;
  me.thread = "";
  drawThread();
  document.querySelector(`#messages [data-ts="${ts}"] .replies`)?.focus();
}

async function openPermalink(url) {
  const [, , channel, stamp] = new URL(url).pathname.split("/");
  const root = new URL(url).searchParams.get("thread_ts");
  const ts = `${stamp.slice(1, -6)}.${stamp.slice(-6)}`;
  await go({ channel, thread: root ?? "" });
  const node = document.querySelector(`${root ? "#thread-body" : "#messages"} [data-ts="${ts}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.classList.add("found");
  setTimeout(() => node?.classList.remove("found"), 2000);
}

function showRail(open) {
  document.body.classList.toggle("with-rail", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

const composer = new Composer($("composer"), async (line) => {
  pinned = true;
  stayAtEnd();
  return post("command", { text: line, user: me.user, channel: me.channel });
});

$("menu").append(icon("menu"));
$("thread-close").append(icon("close"));
$("menu").addEventListener("click", () => showRail(!document.body.classList.contains("with-rail")));
$("thread-close").addEventListener("click", closeThread);
$("user").addEventListener("change", (event) => {
  sessionStorage.setItem("user", event.target.value);
  go({ user: event.target.value });
});
$("newer").addEventListener("click", () => { pinned = true; stayAtEnd(); });
$("scroll").addEventListener("scroll", () => {
  const scroll = $("scroll");
  pinned = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_BOTTOM;
  if (pinned) $("newer").hidden = true;
});
// A thread that opens, a picture that arrives or a window that shrinks must not hide the last message.
const watcher = new ResizeObserver(stayAtEnd);
for (const id of ["scroll", "messages"]) watcher.observe($(id));
document.addEventListener("click", (event) => {
  const permalink = event.target.closest?.("[data-permalink]");
  if (permalink) { event.preventDefault(); openPermalink(permalink.dataset.permalink); }
  else if (!event.target.closest?.("#rail, #menu")) showRail(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("with-rail")) showRail(false);
  else if (me.thread) closeThread();
});

const arrived = location.pathname.startsWith("/archives/") ? location.href : "";
await refresh();
follow();
if (arrived) openPermalink(arrived);
else composer.focus();
