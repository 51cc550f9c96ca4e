"use strict";

/* Marking a part of a film at the moment that the player shows, and stepping from frame to frame. */
const FRAME_SECONDS = 1 / 25;
const player = () => document.querySelector(".film video");

function asClock(seconds) {
  const whole = Math.round(seconds * 1000);
  const [minutes, rest] = [Math.floor(whole / 60000), whole % 60000];
  return `${minutes}:${(rest / 1000).toFixed(3).padStart(6, "0")}`;
}

function markHere(name) {
  const field = document.getElementById("cut").elements[name];
  field.value = asClock(player().currentTime);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function stepFrames(count) {
  const video = player();
  video.pause();
  video.currentTime = Math.max(0, Math.min(video.duration, video.currentTime + count * FRAME_SECONDS));
}

/* Show where the chosen face is, and about where the film will be covered, while it plays. */
const COVER_EDGE = 1.0;
const COVER_SECONDS = 0.5;

function placeAt(points, time) {
  const last = points.length - 1;
  if (time <= points[0][0] || last === 0) return points[0].slice(1);
  if (time >= points[last][0]) return points[last].slice(1);
  const behind = points.findIndex((point) => point[0] >= time);
  const [a, b] = [points[behind - 1], points[behind]];
  const share = (time - a[0]) / (b[0] - a[0]);
  return a.slice(1).map((value, index) => value + share * (b[index + 1] - value));
}

function showPlaces() {
  const video = player();
  if (!video) return;
  for (const box of document.querySelectorAll(".film .screen rect")) {
    const points = box.dataset.path.split(";").map((point) => point.split(",").map(Number));
    const room = box.matches(".cover") ? COVER_SECONDS : 0.1;
    const isShown = video.currentTime >= points[0][0] - room && video.currentTime <= points.at(-1)[0] + room;
    box.setAttribute("visibility", isShown ? "visible" : "hidden");
    const [x, y, width, height] = placeAt(points, video.currentTime);
    const edge = box.matches(".cover") ? COVER_EDGE : 0;
    const values = { x: x - edge * width, y: y - edge * height, width: width * (1 + 2 * edge), height: height * (1 + 2 * edge) };
    Object.entries(values).forEach(([name, value]) => box.setAttribute(name, value));
  }
}

let isFollowing = false;
function followFilm() {
  isFollowing = player() !== null;
  showPlaces();
  if (isFollowing) requestAnimationFrame(followFilm);
}
const startFollowing = () => { if (!isFollowing) followFilm(); };
document.addEventListener("DOMContentLoaded", startFollowing);
document.addEventListener("htmx:afterSettle", startFollowing);

/* Enter in a time shows what it would change; it must not press the first button of the form. */
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("#cut input")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-mark], [data-step]");
  if (!button || !player()) return;
  if (button.dataset.mark) markHere(button.dataset.mark);
  else stepFrames(Number(button.dataset.step));
});

/* Play one part of a film with its sound, and stop where it ends. */
let playsUntil = null;

function playPart(button) {
  const video = player();
  playsUntil = Number(button.dataset.playTo);
  video.muted = false;
  video.currentTime = Number(button.dataset.playFrom);
  video.play();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play-from]");
  if (button && player()) playPart(button);
});
document.addEventListener("timeupdate", (event) => {
  if (playsUntil === null || event.target !== player() || event.target.currentTime < playsUntil) return;
  event.target.pause();
  playsUntil = null;
}, true);
