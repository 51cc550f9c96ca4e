/* Keys, the sheet of keys, and loading the next picture ahead. Every page works without it. */
"use strict";

const isTyping = (element) =>
  element && element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");

/* While an answer is on its way, keys wait for the page they are meant for. */
let busy = false;
let waiting = [];
let takeFirst = false;

function useKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (frame && frameKey(event)) {
    event.preventDefault();
    return;
  }
  if (busy && (event.key.length === 1 || event.key === "Enter")) {
    event.preventDefault();
    waiting.push(event.key);
    return;
  }
  const here = document.activeElement;
  if (isTyping(here)) {
    if (event.key === "Escape") here.blur();
    if (event.key === "Enter" && here.id === "q") {
      event.preventDefault();
      takeFirstFound();
    }
    return;
  }
  if (event.key === "Enter" && here && here.matches("a, button, summary, label")) return;
  if (command(event.key)) event.preventDefault();
}

/* Does what a key stands for; false when it stands for nothing here. */
function command(name) {
  const key = name.length === 1 ? name.toLowerCase() : name;
  const target = /^[1-9]$/.test(key)
    ? document.querySelector(`.faces a:nth-child(${key})`)
    : document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target || target.disabled) return false;
  if (isTyping(target)) target.focus();
  else target.click();
  return true;
}

/* The list must be the answer to what stands in the box: never somebody from an older list. */
function takeFirstFound() {
  const found = document.getElementById("found");
  const asked = document.getElementById("q").value.trim();
  takeFirst = busy = asked !== "" && found.dataset.query !== asked;
  if (asked && !takeFirst) found.querySelector("button")?.click();
}

function replay() {
  while (waiting.length && !busy) {
    const key = waiting.shift();
    const here = document.activeElement;
    if (!isTyping(here)) command(key);
    else if (key === "Enter" && here.id === "q") takeFirstFound();
    else if (key === "Enter") here.form.requestSubmit();
    else {
      here.value += key;
      here.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

/* Requests during which keys do not wait. */
const IN_PASSING = new Set(["q", "progress", "held"]);

function begin(event) {
  if (IN_PASSING.has(event.target.id)) return;
  busy = true;
  if (event.detail.requestConfig.verb === "post") document.activeElement.blur();
}

function end(event) {
  if (event.target.id === "q" && event.detail.failed) takeFirst = busy = false;
  if (!IN_PASSING.has(event.target.id)) busy = false;
  replay();
}

/* Who is looked for stands above who is found: both are seen while typing. */
function showSearch(event) {
  const list = event.target.id === "q" && event.target.closest(".talk");
  if (list) list.scrollTop += event.target.form.getBoundingClientRect().top - list.getBoundingClientRect().top;
}

/* Newer browsers open it by the button's "command" alone. */
function openSheet(event) {
  const opener = event.target.closest("[data-open]");
  const sheet = opener && document.getElementById(opener.dataset.open);
  if (sheet && !sheet.open) sheet.showModal();
}

/* The browser keeps what this document has shown, so the next page finds its picture at hand. */
let ahead = null;
function loadAhead() {
  const next = document.querySelector("[data-preload]");
  if (!next) return;
  ahead = new Image();
  ahead.src = next.dataset.preload;
}

/* A page that was swapped in starts like one that was loaded, at its beginning; after a face was
   dealt with, the next one is read out. */
function settleDown(event) {
  if (event.target === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  else if (document.activeElement === document.body)
    document.querySelector("#panel h2")?.focus({ preventScroll: true });
  if (takeFirst && document.getElementById("q")) takeFirstFound();
  loadAhead();
}

/* The list of held pictures shows itself anew when it changes, but not under a ticking hand. */
function holdStill(event) {
  const list = event.target;
  if (list.id === "held" && list.querySelector(".tick :checked, details[open]")) event.preventDefault();
}

/* How long the last answer can still be undone. */
function countDown() {
  const pill = document.querySelector(".undo[data-seconds]");
  if (!pill) return;
  const left = Number(pill.dataset.seconds) - 1;
  pill.dataset.seconds = left;
  const shown = pill.querySelector(".countdown b");
  if (shown) shown.textContent = left;
  if (left <= 0) pill.remove();
}
setInterval(countDown, 1000);

document.addEventListener("keydown", useKey);
document.addEventListener("focusin", showSearch);
document.addEventListener("htmx:beforeRequest", holdStill);
document.addEventListener("click", openSheet);
document.addEventListener("htmx:beforeRequest", begin);
document.addEventListener("htmx:afterRequest", end);
document.addEventListener("htmx:afterSettle", settleDown);
document.addEventListener("DOMContentLoaded", loadAhead);

/* Buttons that open, close, tick. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  const ticker = event.target.closest("[data-tick]");
  if (ticker) document.querySelectorAll(ticker.dataset.tick).forEach((box) => { box.checked = true; });
});

/* Drawing on the picture, for a missed face or a crop: drag, click two corners, or use the keys.
   Everything is in shares of the picture's sides. */
const PARTS = 10000;
const STEP = 0.01;
const HINTS = {
  crop: "Drag over what is to stay, or move the frame with the arrow keys and size it with Shift. Enter saves, Esc leaves.",
  draw: "Drag over the face, or move the frame with the arrow keys and size it with Shift. Enter saves, Esc leaves.",
};
let frame = null;
let corner = null;
let purpose = "";

const within = (value, most = 1) => Math.max(0, Math.min(most, value));
const stageSvg = () => document.querySelector(".stage > svg.fit");

function pointOn(event) {
  const picture = stageSvg();
  const { width, height } = picture.viewBox.baseVal;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  return { x: within(at.x / width), y: within(at.y / height) };
}

const between = (a, b) => ({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) });

function startDrawing(what) {
  if (!stageSvg()) return;
  purpose = what;
  frame = what === "crop" ? cropNow() : { x: 0.44, y: 0.4, w: 0.12, h: 0.18 };
  document.body.classList.add("drawing");
  document.querySelector(".drawing-hint").textContent = HINTS[what];
  document.activeElement.blur();
  showFrame();
}

/* The crop that is set, or a frame a little inside the picture. */
function cropNow() {
  const cut = Object.fromEntries(new FormData(document.getElementById("crop")));
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((side) => Number(cut[side]) / 100);
  const whole = left + top + right + bottom === 0;
  const edge = whole ? { l: 0.05, t: 0.05, r: 0.05, b: 0.05 } : { l: left, t: top, r: right, b: bottom };
  return { x: edge.l, y: edge.t, w: 1 - edge.l - edge.r, h: 1 - edge.t - edge.b };
}

function showFrame() {
  const picture = document.querySelector("#boxes svg");
  const { width, height } = picture.viewBox.baseVal;
  const [x, y, w, h] = [frame.x * width, frame.y * height, frame.w * width, frame.h * height];
  let box = picture.querySelector(".draft");
  if (!box) {
    box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    box.setAttribute("class", `draft ${purpose}`);
    picture.append(box);
  }
  Object.entries({ x, y, width: w, height: h }).forEach(([name, value]) => box.setAttribute(name, value));
  if (purpose !== "crop") return;
  const cut = picture.querySelector(".cut");
  cut.setAttribute("d", `${cut.dataset.whole}M${x} ${y}h${w}v${h}h${-w}Z`);
}

/* True when the key was for the frame. */
function frameKey(event) {
  if (event.key === "Escape") leaveDrawing();
  else if (event.key === "Enter") saveFrame();
  else if (!moveFrame(event.key, event.shiftKey)) return false;
  return true;
}

function moveFrame(key, sizing) {
  const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[key];
  if (!way) return false;
  const [dx, dy] = way;
  if (sizing) {
    frame.w = Math.max(STEP, within(frame.w + dx, 1 - frame.x));
    frame.h = Math.max(STEP, within(frame.h + dy, 1 - frame.y));
  } else {
    frame.x = within(frame.x + dx, 1 - frame.w);
    frame.y = within(frame.y + dy, 1 - frame.h);
  }
  showFrame();
  return true;
}

function saveFrame() {
  const form = document.getElementById(purpose);
  const { x, y, w, h } = frame;
  const values =
    purpose === "crop"
      ? { left: x, top: y, right: 1 - x - w, bottom: 1 - y - h }
      : { x, y, w, h };
  for (const [name, share] of Object.entries(values)) {
    form.elements[name].value = purpose === "crop" ? within(share * 100, 99).toFixed(2) : Math.round(share * PARTS);
  }
  stopDrawing();
  form.requestSubmit();
}

function stopDrawing() {
  frame = corner = null;
  document.body.classList.remove("drawing");
  document.querySelector(".draft")?.remove();
  const hint = document.querySelector(".drawing-hint");
  if (hint) hint.textContent = "";
}

/* Without saving: the dimmed part is again what it was. */
function leaveDrawing() {
  stopDrawing();
  const cut = document.querySelector("#boxes .cut");
  cut?.setAttribute("d", cut.dataset.was);
}

const isFar = (a, b) => Math.abs(a.x - b.x) > 0.008 && Math.abs(a.y - b.y) > 0.008;
const isDrawing = (event) => frame && event.target.closest(".stage");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-draw]");
  if (opener) startDrawing(opener.dataset.draw);
});
document.addEventListener("pointerdown", (event) => {
  if (!isDrawing(event)) return;
  event.preventDefault();
  const at = pointOn(event);
  if (corner && isFar(corner, at)) {
    frame = between(corner, at);
    saveFrame();
  } else corner = at;
});
document.addEventListener("pointermove", (event) => {
  if (!corner || !isDrawing(event)) return;
  frame = between(corner, pointOn(event));
  showFrame();
});
document.addEventListener("pointerup", (event) => {
  if (!corner || !isDrawing(event) || !isFar(corner, pointOn(event))) return;
  frame = between(corner, pointOn(event));
  saveFrame();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (frame && !IN_PASSING.has(event.target.id)) stopDrawing();
});
