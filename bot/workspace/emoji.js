// A few emoji. The ones a treasury sees most are drawn, so that they look the same where no emoji font is installed.

import { el } from "./dom.js";

const CHARACTERS = {
  bell: "🔔", no_bell: "🔕", eyes: "👀", zzz: "💤", hourglass: "⌛", hourglass_flowing_sand: "⏳", clock3: "🕒",
  alarm_clock: "⏰", bar_chart: "📊", moneybag: "💰", bank: "🏦", pick: "⛏️", ship: "🚢", anchor: "⚓", lock: "🔒",
  question: "❓", wave: "👋", tada: "🎉", memo: "📝", calendar: "📅", date: "📅", link: "🔗", house: "🏠",
  arrow_up: "⬆️", arrow_down: "⬇️", arrow_right: "➡️", point_right: "👉", speech_balloon: "💬", gear: "⚙️", mag: "🔍",
  fire: "🔥", heavy_check_mark: "✔️", ok: "🆗",
};
// name: [shape, its colour, the lines on it, their colour], on a 20 by 20 ground.
const round = (colour, line = "none") => ["M10 2a8 8 0 1 0 0 16a8 8 0 1 0 0-16", colour, "", line];
const square = "M5 2h10a3 3 0 0 1 3 3v10a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z";
const DRAWN = {
  red_circle: round("#e01e3c"), large_red_circle: round("#e01e3c"), large_orange_circle: round("#f28c28"),
  large_yellow_circle: round("#f2c12e"), large_green_circle: round("#2bac76"), large_blue_circle: round("#2d7ff9"),
  white_circle: round("#fff", "#999"), black_circle: round("#222"),
  white_check_mark: [square, "#2bac76", "M5.5 10.500l3 3 6-7", "#fff"],
  x: ["", "none", "M4 4l12 12M16 4L4 16", "#e01e3c"],
  warning: ["M10 2.500L18.500 17.500h-17z", "#f2c12e", "M10 8v4.500M10 15v.1", "#3d2f00"],
  information_source: [square, "#2d7ff9", "M10 9v5.500M10 5.800v.1", "#fff"],
  rotating_light: ["M5 15v-4a5 5 0 0 1 10 0v4zM3 15h14v3H3z", "#e01e3c", "M10 1v2M2.500 4.500l1.500 1.500M17.500 4.500L16 6", "#f28c28"],
  chart_with_upwards_trend: [square, "#e8edf3", "M4.500 14l4-4 3 2.500 4.500-7", "#2bac76"],
  chart_with_downwards_trend: [square, "#e8edf3", "M4.500 6l4 4 3-2.500 4.500 7", "#e01e3c"],
};
const BY_CHARACTER = {
  "🔴": "red_circle", "🟠": "large_orange_circle", "🟡": "large_yellow_circle", "🟢": "large_green_circle",
  "🔵": "large_blue_circle", "⚪": "white_circle", "⚫": "black_circle", "✅": "white_check_mark", "❌": "x",
  "⚠️": "warning", "⚠": "warning", "🚨": "rotating_light", "📈": "chart_with_upwards_trend",
  "📉": "chart_with_downwards_trend", "ℹ️": "information_source",
};
const CHARACTER = new RegExp(`(${Object.keys(BY_CHARACTER).join("|")})`, "u");
const SVG = "http://www.w3.org/2000/svg";

/** Whether there is an emoji of that name here. */
export const known = (name) => name in DRAWN || name in CHARACTERS;

/** An emoji by its name; the name itself where it is not one of the few. */
export function emoji(name) {
  if (!known(name)) return `:${name}:`;
  const props = { class: "emoji", role: "img", "aria-label": name.replace(/_/g, " ") };
  return el("span", props, name in DRAWN ? drawing(DRAWN[name]) : CHARACTERS[name]);
}

/** Text with the characters that are drawn here replaced by their drawings. */
export function plain(text) {
  return text.split(CHARACTER).map((part) => (part in BY_CHARACTER ? emoji(BY_CHARACTER[part]) : part)).filter((part) => part !== "");
}

function drawing([shape, fill, lines, stroke]) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  for (const [d, attributes] of [[shape, { fill, stroke: lines ? "none" : stroke }], [lines, { fill: "none", stroke }]]) {
    if (!d) continue;
    const path = document.createElementNS(SVG, "path");
    for (const [name, value] of Object.entries({ d, ...attributes })) path.setAttribute(name, value);
    svg.append(path);
  }
  return svg;
}
