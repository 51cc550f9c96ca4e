"use strict";

/* Photos dropped on the page of an event, in pieces. A piece that fails is sent again; the server says
   where the file goes on. Without this script the form sends whole photos. */
const AT_ONCE = 2;
const LONGEST_PAUSE = 30000;
const TRIES = 12;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function sendPiece(form, file, offset, piece) {
  const query = new URLSearchParams({
    event: form.dataset.event, name: file.name, size: file.size, modified: file.lastModified, offset,
  });
  const token = form.elements.csrfmiddlewaretoken.value;
  const answer = await fetch(`${form.dataset.address}?${query}`, {
    method: "POST", body: piece, headers: { "X-CSRFToken": token, "Content-Type": "application/octet-stream" },
  });
  if (answer.status === 422) return answer.json();
  if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) throw new Error(answer.status);
  return answer.json();
}

/* Like sendPiece; tries again after a lost connection. */
async function sendSurely(form, file, offset, piece) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendPiece(form, file, offset, piece);
    } catch (error) {
      if (tries >= TRIES) return { error: `${file.name}: the connection was lost. Choose it again later.` };
      await pause(Math.min(LONGEST_PAUSE, 500 * 2 ** tries));
    }
  }
}

async function sendFile(form, file, onBytes) {
  const size = Number(form.dataset.piece);
  let answer = await sendSurely(form, file, 0, "");
  while (!answer.error && answer.state === "unfinished") {
    const from = answer.received;
    onBytes(from);
    answer = await sendSurely(form, file, from, file.slice(from, from + size));
  }
  onBytes(file.size);
  return answer;
}

async function sendAll(form, files) {
  const status = form.querySelector(".upload-status");
  const bar = form.querySelector("progress");
  const sent = new Map();
  const results = { taken: 0, known: 0 };
  const all = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const waiting = [...files];
  form.querySelector(".uploading").hidden = false;
  const work = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const one = file;
      const answer = await sendFile(form, one, (bytes) => {
        sent.set(one, bytes);
        bar.value = [...sent.values()].reduce((sum, part) => sum + part, 0) / all;
      });
      if (answer.error) showProblem(form, answer.error);
      else results[answer.state] += 1;
      const left = waiting.length ? `, ${waiting.length} to go` : "";
      status.textContent = `${results.taken} uploaded, ${results.known} here already${left}.`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  form.querySelector(".uploading").hidden = true;
}

function showProblem(form, text) {
  const line = document.createElement("li");
  line.textContent = text;
  form.querySelector(".upload-problems").append(line);
}

/* All files of what was dropped, also in folders. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesIn))).flat();
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "upload") return;
  event.preventDefault();
  const chosen = event.target.elements.photos;
  sendAll(event.target, [...chosen.files]).then(() => { chosen.value = ""; });
});
document.addEventListener("dragover", (event) => {
  if (document.getElementById("upload")) event.preventDefault();
});
document.addEventListener("drop", async (event) => {
  const form = document.getElementById("upload");
  if (!form) return;
  event.preventDefault();
  sendAll(form, await droppedFiles(event.dataTransfer));
});
