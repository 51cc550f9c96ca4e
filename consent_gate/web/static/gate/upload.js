"use strict";

/* Photos dropped on the page of an event, in pieces. A piece that fails is sent again; the server says
   where the file goes on. The upload goes on while the person opens other pages of the gate. Without this
   script the form sends whole photos. */
const AT_ONCE = 2;
const LONGEST_PAUSE = 30000;
const TRIES = 12;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/* Resolves when the browser says that it has a network again. */
const backOnline = () => new Promise((done) => window.addEventListener("online", done, { once: true }));

/* Shows a text in a part of the form, if the page that is open has one. */
function show(part, text) {
  const line = document.querySelector(`#upload ${part}`);
  if (line) line.textContent = text;
}

/* What waits, and how far the rest is. Files that are dropped meanwhile join the queue. Each has the
   event for which it was dropped. */
const upload = { waiting: [], sent: new Map(), bytes: 0, running: 0, taken: 0, known: 0, refused: 0 };

async function sendPiece({ file, event, address, token }, offset, piece) {
  const query = new URLSearchParams({
    event, name: file.name, size: file.size, modified: file.lastModified, offset,
  });
  const answer = await fetch(`${address}?${query}`, {
    method: "POST", body: piece, headers: { "X-CSRFToken": token, "Content-Type": "application/octet-stream" },
  });
  if (answer.status === 422) return answer.json();
  if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) throw new Error(answer.status);
  return answer.json();
}

/* Like sendPiece; tries again after a lost connection, and says so meanwhile. */
async function sendSurely(one, offset, piece) {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await sendPiece(one, offset, piece);
      show(".upload-trouble", "");
      return answer;
    } catch (error) {
      if (tries >= TRIES) return { error: `${one.file.name}: the connection was lost. Choose it again later.` };
      show(".upload-trouble", "The connection is lost. The upload goes on by itself when it is back.");
      await Promise.race([pause(Math.min(LONGEST_PAUSE, 500 * 2 ** tries)), backOnline()]);
    }
  }
}

async function sendFile(one, onBytes) {
  let answer = await sendSurely(one, 0, "");
  while (!answer.error && answer.state === "unfinished") {
    const from = answer.received;
    onBytes(from);
    answer = await sendSurely(one, from, one.file.slice(from, from + one.piece));
  }
  onBytes(one.file.size);
  return answer;
}

function showProgress() {
  const bar = document.querySelector("#upload progress");
  const left = upload.waiting.length + upload.running;
  if (bar) {
    bar.value = [...upload.sent.values()].reduce((sum, part) => sum + part, 0) / (upload.bytes || 1);
    bar.closest(".uploading").hidden = !left;
  }
  const refused = upload.refused ? `, ${upload.refused} not` : "";
  show(".upload-status", `${upload.taken} uploaded, ${upload.known} here already${refused}${left ? `, ${left} to go` : ""}.`);
}

async function work() {
  for (let one = upload.waiting.shift(); one; one = upload.waiting.shift()) {
    const current = one;
    upload.running += 1;
    const answer = await sendFile(current, (bytes) => {
      upload.sent.set(current, bytes);
      showProgress();
    });
    upload.running -= 1;
    if (answer.error) {
      upload.refused += 1;
      showProblem(answer.error);
    } else upload[answer.state] += 1;
    showProgress();
  }
}

async function sendAll(form, files) {
  if (!files.length) return;
  const isFirst = !upload.running && !upload.waiting.length;
  if (isFirst) {
    Object.assign(upload, { sent: new Map(), bytes: 0, taken: 0, known: 0, refused: 0 });
    form.querySelector(".upload-problems").replaceChildren();
  }
  const { address, event, piece } = form.dataset;
  const token = form.elements.csrfmiddlewaretoken.value;
  upload.waiting.push(...files.map((file) => ({ file, event, address, token, piece: Number(piece) })));
  upload.bytes += files.reduce((sum, file) => sum + file.size, 0);
  showProgress();
  if (!isFirst) return;
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const seconds of [0, 15, 45])
    setTimeout(() => document.body.dispatchEvent(new Event("uploaded")), 1000 * seconds);
}

function showProblem(text) {
  const line = document.createElement("li");
  line.textContent = text;
  document.querySelector("#upload .upload-problems")?.append(line);
}

/* Files that Windows and macOS put into folders themselves. */
const OF_THE_SYSTEM = new Set(["thumbs.db", "desktop.ini"]);

/* All files of what was dropped, also in folders. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry) {
  if (entry.name.startsWith(".") || OF_THE_SYSTEM.has(entry.name.toLowerCase())) return [];
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
  const files = [...chosen.files];
  chosen.value = "";
  sendAll(event.target, files);
});
document.addEventListener("dragover", (event) => {
  const form = document.getElementById("upload");
  if (!form) return;
  event.preventDefault();
  form.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.getElementById("upload")?.classList.remove("dropping");
});
document.addEventListener("drop", async (event) => {
  const form = document.getElementById("upload");
  if (!form) return;
  event.preventDefault();
  form.classList.remove("dropping");
  sendAll(form, await droppedFiles(event.dataTransfer));
});
window.addEventListener("beforeunload", (event) => {
  if (upload.running || upload.waiting.length) event.preventDefault();
});
