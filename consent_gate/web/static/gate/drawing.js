"use strict";

/* Drawing a missed face or a crop: drag, click two corners, or use the arrow keys. Coordinates are
   fractions of the picture's width and height. */
const BOX_UNITS = 10000; // as in forms.py
const STEP = 0.01;
const HINTS = {
  crop: "Drag over the part to keep, or move the frame with the arrow keys and resize it with Shift. Enter saves, Esc cancels.",
  draw: "Drag over the face, or move the frame with the arrow keys and resize it with Shift. Enter saves, Esc cancels.",
};
let frame = null;
let firstCorner = null;
let purpose = "";

const within = (value, max = 1) => Math.max(0, Math.min(max, value));
const stageSvg = () => document.querySelector(".stage > svg.fit");

function pointOn(event) {
  const picture = stageSvg();
  const { width, height } = picture.viewBox.baseVal;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  return { x: within(at.x / width), y: within(at.y / height) };
}

const boxBetween = (a, b) => ({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) });

function startDrawing(kind) {
  if (!stageSvg()) return;
  purpose = kind;
  frame = kind === "crop" ? currentCrop() : { x: 0.44, y: 0.4, w: 0.12, h: 0.18 };
  document.body.classList.add("drawing");
  document.querySelector(".drawing-hint").textContent = HINTS[kind];
  document.activeElement.blur();
  showFrame();
}

/* The saved crop, or a frame slightly inside the picture. */
function currentCrop() {
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

/* Returns true when the key changed, saved or cancelled the frame. */
function handleFrameKey(event) {
  if (event.key === "Escape") cancelDrawing();
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
    form.elements[name].value = purpose === "crop" ? within(share * 100, 99).toFixed(2) : Math.round(share * BOX_UNITS);
  }
  stopDrawing();
  form.requestSubmit();
}

function stopDrawing() {
  frame = firstCorner = null;
  document.body.classList.remove("drawing");
  document.querySelector(".draft")?.remove();
  const hint = document.querySelector(".drawing-hint");
  if (hint) hint.textContent = "";
}

/* Stop without saving and restore the saved crop. */
function cancelDrawing() {
  stopDrawing();
  const cut = document.querySelector("#boxes .cut");
  cut?.setAttribute("d", cut.dataset.was);
}

const isDrag = (a, b) => Math.abs(a.x - b.x) > 0.008 && Math.abs(a.y - b.y) > 0.008;
const isDrawing = (event) => frame && event.target.closest(".stage");

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-draw]");
  if (opener) startDrawing(opener.dataset.draw);
});
document.addEventListener("pointerdown", (event) => {
  if (!isDrawing(event)) return;
  event.preventDefault();
  const at = pointOn(event);
  if (firstCorner && isDrag(firstCorner, at)) {
    frame = boxBetween(firstCorner, at);
    saveFrame();
  } else firstCorner = at;
});
document.addEventListener("pointermove", (event) => {
  if (!firstCorner || !isDrawing(event)) return;
  frame = boxBetween(firstCorner, pointOn(event));
  showFrame();
});
document.addEventListener("pointerup", (event) => {
  if (!firstCorner || !isDrawing(event) || !isDrag(firstCorner, pointOn(event))) return;
  frame = boxBetween(firstCorner, pointOn(event));
  saveFrame();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (frame && !BACKGROUND_REQUESTS.has(event.target.id)) stopDrawing();
});
