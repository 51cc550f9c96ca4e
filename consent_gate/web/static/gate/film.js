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
