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

function begin(event) {
  if (event.target.id === "q" || event.target.id === "progress") return;
  busy = true;
  if (event.detail.requestConfig.verb === "post") document.activeElement.blur();
}

function end(event) {
  const search = event.target.id === "q";
  if (search && event.detail.failed) takeFirst = busy = false;
  if (!search && event.target.id !== "progress") busy = false;
  replay();
}

function openSheet(event) {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
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

document.addEventListener("keydown", useKey);
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

/* Marking a missed face: drag over it, or click two of its corners. */
const PARTS = 10000;
let corner = null;

function pointOn(event) {
  const picture = document.querySelector(".stage > svg.fit");
  const { width, height } = picture.viewBox.baseVal;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  const within = (value, most) => Math.max(0, Math.min(most, value));
  return { x: within(at.x, width) / width, y: within(at.y, height) / height };
}

function showDraft(to) {
  const picture = document.querySelector("#boxes svg");
  const { width, height } = picture.viewBox.baseVal;
  let box = picture.querySelector(".draft");
  if (!box) {
    box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    box.setAttribute("class", "draft");
    picture.append(box);
  }
  box.setAttribute("x", Math.min(corner.x, to.x) * width);
  box.setAttribute("y", Math.min(corner.y, to.y) * height);
  box.setAttribute("width", Math.abs(to.x - corner.x) * width);
  box.setAttribute("height", Math.abs(to.y - corner.y) * height);
}

function finishBox(to) {
  const form = document.getElementById("draw");
  const box = { x: Math.min(corner.x, to.x), y: Math.min(corner.y, to.y), w: Math.abs(to.x - corner.x), h: Math.abs(to.y - corner.y) };
  for (const [name, share] of Object.entries(box)) form.elements[name].value = Math.round(share * PARTS);
  stopDrawing();
  form.requestSubmit();
}

function stopDrawing() {
  corner = null;
  document.body.classList.remove("drawing");
}

const isFar = (a, b) => Math.abs(a.x - b.x) > 0.008 && Math.abs(a.y - b.y) > 0.008;
const isDrawing = (event) => document.body.classList.contains("drawing") && event.target.closest(".stage");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-draw]")) document.body.classList.add("drawing");
});
document.addEventListener("pointerdown", (event) => {
  if (!isDrawing(event)) return;
  event.preventDefault();
  if (corner) finishBox(pointOn(event));
  else corner = pointOn(event);
});
document.addEventListener("pointermove", (event) => {
  if (corner && isDrawing(event)) showDraft(pointOn(event));
});
document.addEventListener("pointerup", (event) => {
  if (corner && isDrawing(event) && isFar(corner, pointOn(event))) finishBox(pointOn(event));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stopDrawing();
});
