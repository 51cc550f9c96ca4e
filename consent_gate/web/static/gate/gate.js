/* Keys, the sheet of keys, and loading the next picture ahead. Every page works without it. */
"use strict";

const isTyping = (element) =>
  element && element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");

function useKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const here = document.activeElement;
  if (isTyping(here)) {
    if (event.key === "Escape") here.blur();
    if (event.key === "Enter" && here.id === "q") {
      event.preventDefault();
      document.querySelector("#found button")?.click();
    }
    return;
  }
  if (event.key === "Enter" && here && here.matches("a, button, summary, label")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = /^[1-9]$/.test(key)
    ? document.querySelector(`.faces a:nth-child(${key})`)
    : document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target || target.disabled) return;
  event.preventDefault();
  if (isTyping(target)) target.focus();
  else target.click();
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

/* A page that was swapped in starts like one that was loaded: at its beginning. */
function startAtTheTop(event) {
  if (event.target === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  loadAhead();
}

document.addEventListener("keydown", useKey);
document.addEventListener("click", openSheet);
document.addEventListener("htmx:afterSettle", startAtTheTop);
document.addEventListener("DOMContentLoaded", loadAhead);
