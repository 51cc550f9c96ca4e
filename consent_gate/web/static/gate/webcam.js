"use strict";

/* Three pictures of a pupil with the camera of this computer. They are drawn on the page, and sent only when
   somebody saves them. The picture of the camera is shown mirrored, as people know it; what is kept is not. */
const LONGEST_SIDE = 960;
const QUALITIES = [0.92, 0.85, 0.75, 0.6];
const CAMERA = { audio: false, video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" } };
const CAMERA_PROBLEMS = {
  NotAllowedError: "The browser may not use the camera. Allow it with the camera sign beside the address, and try again.",
  NotFoundError: "There is no camera. Connect one, and try again.",
  NotReadableError: "Another program uses the camera. Close it, and try again.",
  OverconstrainedError: "This camera cannot be used. Connect another one, and try again.",
};
const NOT_SECURE = "The camera works only where the address of this page begins with https.";
const LOST = "The connection was lost. Save again.";

function setUp(form) {
  const video = form.querySelector("video");
  const start = form.querySelector("[data-start]");
  const take = form.querySelector("[data-take]");
  const save = form.querySelector("[data-save]");
  const ask = form.querySelector(".ask-pose");
  const forAll = form.querySelector(".for-all");
  const places = [...form.querySelectorAll("[data-pose]")];
  const taken = new Map();
  let current = places[0];

  const title = (place) => place.querySelector("h3").textContent;
  const show = (place, problem) => { place.querySelector(".problem").textContent = problem; };

  /* Says what to do next: the pose to take, or to save. */
  function turnTo(place) {
    current = place;
    for (const other of places) other.removeAttribute("aria-current");
    place?.setAttribute("aria-current", "step");
    take.hidden = !video.srcObject || !place;
    save.disabled = places.some((one) => !taken.has(one));
    if (place) ask.textContent = `${title(place)}. Then take the picture.`;
    else ask.textContent = "Look at the three pictures. Save them if they show the right pupil.";
    (place ? take : save).focus();
  }

  const next = () => turnTo(places.find((place) => !taken.has(place)));

  async function startCamera() {
    if (!navigator.mediaDevices) { ask.textContent = NOT_SECURE; return; }
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia(CAMERA);
      await video.play();
    } catch (error) {
      ask.textContent = CAMERA_PROBLEMS[error.name] || "The camera cannot be used.";
      return;
    }
    video.srcObject.getVideoTracks()[0].addEventListener("ended", cameraGone);
    start.hidden = true;
    next();
  }

  function cameraGone() {
    video.srcObject = null;
    start.hidden = false;
    take.hidden = true;
    ask.textContent = "The camera was disconnected. Start it again.";
    start.focus();
  }

  const encode = (canvas, quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));

  /* Waits for a new picture of the camera, so that two are never the same. */
  const newFrame = () => new Promise((done) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(done);
    else setTimeout(done, 100);
  });

  async function takePicture() {
    const place = current;
    if (!place || !video.videoWidth) return;
    take.disabled = true;
    await newFrame();
    take.disabled = false;
    const canvas = place.querySelector("canvas");
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    let picture = null;
    for (const quality of QUALITIES) {
      picture = await encode(canvas, quality);
      if (picture.size <= Number(form.dataset.mostBytes)) break;
    }
    canvas.setAttribute("aria-label", `Picture taken: ${title(place)}`);
    place.querySelector("[data-again]").hidden = false;
    show(place, "");
    forAll.textContent = "";
    taken.set(place, picture);
    next();
  }

  function discard(place) {
    taken.delete(place);
    const canvas = place.querySelector("canvas");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    canvas.setAttribute("aria-label", `No picture yet: ${title(place)}`);
    place.querySelector("[data-again]").hidden = true;
  }

  async function send() {
    const body = new FormData();
    for (const [place, picture] of taken) body.append(place.dataset.pose, picture, `${place.dataset.pose}.jpg`);
    const token = form.elements.csrfmiddlewaretoken.value;
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-CSRFToken": token } });
    if (!answer.headers.get("Content-Type")?.includes("json")) throw new Error(answer.status);
    return answer.json();
  }

  async function savePictures() {
    save.disabled = true;
    forAll.textContent = "";
    for (const place of places) show(place, "");
    ask.textContent = "The gate measures the pictures. This takes some seconds.";
    let answer = null;
    try {
      answer = await send();
    } catch {
      answer = { message: LOST, problems: {} };
    }
    if (answer.saved) { window.location.assign(answer.saved); return; }
    forAll.textContent = answer.message;
    const wrong = places.filter((place) => answer.problems[place.dataset.pose]);
    for (const place of wrong) {
      show(place, answer.problems[place.dataset.pose]);
      taken.delete(place);
    }
    next();
  }

  start.addEventListener("click", startCamera);
  take.addEventListener("click", takePicture);
  form.addEventListener("submit", (event) => { event.preventDefault(); savePictures(); });
  for (const place of places) {
    place.querySelector("[data-again]").addEventListener("click", () => { discard(place); turnTo(place); });
  }
  window.addEventListener("pagehide", () => video.srcObject?.getTracks().forEach((track) => track.stop()));
}

document.querySelectorAll("form.webcam").forEach(setUp);
