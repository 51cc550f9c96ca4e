/* Keyboard shortcuts, dialogs, and preloading of the next picture. Every page works without this
   script. drawing.js has what draws on the picture. */
"use strict";

const isTyping = (element) =>
  element && element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");

/* While a request is running, keys are queued for the page that it returns. */
let busy = false;
let queuedKeys = [];
let chooseFirst = false;

function onKeydown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (frame && handleFrameKey(event)) {
    event.preventDefault();
    return;
  }
  if (busy && (event.key.length === 1 || event.key === "Enter")) {
    event.preventDefault();
    queuedKeys.push({ key: event.key, shift: event.shiftKey });
    return;
  }
  const focused = document.activeElement;
  if (isTyping(focused)) {
    if (event.key === "Escape") focused.blur();
    if (event.key === "Enter" && focused.id === "q") {
      event.preventDefault();
      chooseFirstFound();
    }
    return;
  }
  if (event.key === "Enter" && focused && focused.matches("a, button, summary, label")) return;
  if (runCommand(event.key, event.shiftKey)) event.preventDefault();
}

/* Runs the command of a key; returns false when the key has none on this page. A letter with Shift is a
   command of its own. */
function runCommand(name, shift) {
  const letter = /^[a-z]$/i.test(name);
  const key = letter && shift ? `Shift+${name.toUpperCase()}` : letter ? name.toLowerCase() : name;
  const target = /^[1-9]$/.test(key)
    ? document.querySelector(`.faces a:nth-child(${key})`)
    : document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target || target.disabled) return false;
  if (isTyping(target)) target.focus();
  else target.click();
  return true;
}

/* The list must belong to the text in the box, so that Enter never chooses from an older list. */
function chooseFirstFound() {
  const found = document.getElementById("found");
  const asked = document.getElementById("q").value.trim();
  chooseFirst = busy = asked !== "" && found.dataset.query !== asked;
  if (asked && !chooseFirst) found.querySelector("button")?.click();
}

function replayKeys() {
  while (queuedKeys.length && !busy) {
    const { key, shift } = queuedKeys.shift();
    const focused = document.activeElement;
    if (!isTyping(focused)) runCommand(key, shift);
    else if (key === "Enter" && focused.id === "q") chooseFirstFound();
    else if (key === "Enter") focused.form.requestSubmit();
    else {
      focused.value += key;
      focused.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

/* Ids of elements whose requests do not block the keys. */
const BACKGROUND_REQUESTS = new Set(["q", "progress", "held", "candidates", "marking"]);

function onRequestStart(event) {
  if (BACKGROUND_REQUESTS.has(event.target.id)) return;
  busy = true;
  if (event.detail.requestConfig.verb === "post") document.activeElement.blur();
}

function onRequestEnd(event) {
  if (event.target.id === "q" && event.detail.failed) chooseFirst = busy = false;
  if (!BACKGROUND_REQUESTS.has(event.target.id)) busy = false;
  replayKeys();
}

/* Scroll so that the search box and its results are both visible while typing. */
function scrollToSearch(event) {
  const list = event.target.id === "q" && event.target.closest(".panel-scroll");
  if (list) list.scrollTop += event.target.form.getBoundingClientRect().top - list.getBoundingClientRect().top;
}

/* Older browsers do not support the "command" attribute of the button. */
function openDialog(event) {
  const opener = event.target.closest("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog && !dialog.open) dialog.showModal();
}

/* The browser keeps images that this document loaded, so the next page can show its picture at once. */
let preloaded = null;
function preloadNext() {
  const next = document.querySelector("[data-preload]");
  if (!next) return;
  preloaded = new Image();
  preloaded.src = next.dataset.preload;
}

/* Scroll long rows of links to the one that is open, and nothing around them. */
const ROOM_PX = 24;
function showCurrent() {
  for (const list of document.querySelectorAll(".bar nav, .faces, .events ul")) {
    const current = list.querySelector("[aria-current]");
    if (!current) continue;
    const [one, all] = [current.getBoundingClientRect(), list.getBoundingClientRect()];
    list.scrollLeft += Math.max(0, one.right + ROOM_PX - all.right) - Math.max(0, all.left + ROOM_PX - one.left);
    list.scrollTop += Math.max(0, one.bottom + ROOM_PX - all.bottom) - Math.max(0, all.top + ROOM_PX - one.top);
  }
}

/* Set the focus after htmx swapped in content: at the beginning of a new page, or at the next face, so
   that a screen reader reads it. */
function onSettle(event) {
  if (event.target === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  else if (document.activeElement === document.body)
    document.querySelector("#panel h2")?.focus({ preventScroll: true });
  if (chooseFirst && document.getElementById("q")) chooseFirstFound();
  showCurrent();
  preloadNext();
}

/* Do not reload the list of held pictures while the user is ticking pictures or has details open. */
function keepWhileTicking(event) {
  const list = event.target;
  if (list.id === "held" && list.querySelector(".tick :checked, details[open]")) event.preventDefault();
}

/* Show how many seconds are left to undo the last decision. */
function updateUndoCountdown() {
  const undo = document.querySelector(".undo[data-seconds]");
  if (!undo) return;
  const left = Number(undo.dataset.seconds) - 1;
  undo.dataset.seconds = left;
  const shown = undo.querySelector(".countdown b");
  if (shown) shown.textContent = left;
  if (left <= 0) undo.remove();
}
setInterval(updateUndoCountdown, 1000);

/* While Shift is held, show what Shift+B would cover. */
function showCovers(event) {
  const held = event.type === "keydown" && event.key === "Shift" && !isTyping(document.activeElement);
  if (event.key === "Shift" || event.type === "blur") document.body.classList.toggle("show-covers", held);
}

document.addEventListener("keydown", onKeydown);
document.addEventListener("keydown", showCovers);
document.addEventListener("keyup", showCovers);
window.addEventListener("blur", showCovers);
document.addEventListener("focusin", scrollToSearch);
document.addEventListener("htmx:beforeRequest", keepWhileTicking);
document.addEventListener("click", openDialog);
document.addEventListener("htmx:beforeRequest", onRequestStart);
document.addEventListener("htmx:afterRequest", onRequestEnd);
document.addEventListener("htmx:afterSettle", onSettle);
document.addEventListener("DOMContentLoaded", preloadNext);
document.addEventListener("DOMContentLoaded", showCurrent);

/* Buttons that close a dialog or tick several boxes. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  const ticker = event.target.closest("[data-tick]");
  if (ticker) document.querySelectorAll(ticker.dataset.tick).forEach((box) => { box.checked = true; });
});
