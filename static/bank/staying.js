// Who is left alone is logged out, but asked before. What they typed waits for them in this tab until
// the same person is back; passwords and codes do not.

const WARNING_SECONDS = 60;
const SAY_SO_SECONDS = 240;
const LAST_HEARD = "bank-last-heard";
const DRAFT = `bank-draft:${document.body.dataset.person}:${location.pathname}`;

const dialog = document.getElementById("idle");
const seconds = Number(document.body.dataset.idleSeconds);

const heard = () => localStorage.setItem(LAST_HEARD, String(Date.now()));
const silentFor = () => (Date.now() - Number(localStorage.getItem(LAST_HEARD))) / 1000;

async function say() {
  const form = dialog.querySelector("form");
  heard();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
  if (answer.status !== 204) leave();
}

function keeps(field) {
  return (
    field.name
    && !["hidden", "password", "submit", "button", "file"].includes(field.type)
    && field.autocomplete !== "one-time-code"
  );
}

function leave() {
  const form = document.querySelector("main form[method=post]");
  const typed = form ? [...form.elements].filter((field) => keeps(field) && field.value) : [];
  if (typed.length > 0) {
    sessionStorage.setItem(DRAFT, JSON.stringify(typed.map((field) => [field.name, field.type, field.value, field.checked])));
  }
  location.reload();
}

function takeUpDraft() {
  const kept = sessionStorage.getItem(DRAFT);
  const form = document.querySelector("main form[method=post]");
  if (!kept || !form) return;
  sessionStorage.removeItem(DRAFT);
  for (const [name, type, value, checked] of JSON.parse(kept)) {
    const found = [...form.elements].filter((field) => field.name === name && field.type === type);
    if (type === "checkbox" || type === "radio") {
      for (const field of found) if (field.value === value) field.checked = checked;
    } else if (found[0]) {
      found[0].value = value;
    }
  }
}

function look() {
  const left = Math.ceil(seconds - silentFor());
  if (left <= 0) {
    leave();
  } else if (left <= WARNING_SECONDS) {
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[data-left]").textContent = String(left);
  } else if (dialog.open) {
    dialog.close();
  }
}

if (dialog && seconds) {
  heard();
  takeUpDraft();
  const timer = setInterval(look, 1000);
  window.addEventListener("pagehide", () => clearInterval(timer));
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  document.addEventListener("htmx:afterRequest", heard);
  for (const doing of ["input", "keydown", "pointerdown"]) {
    document.addEventListener(doing, () => {
      if (!dialog.open && silentFor() > SAY_SO_SECONDS) say();
    });
  }
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    say();
  });
}
