// What pages gain from JavaScript. All of them work without.

const main = () => document.getElementById("main");

// A page that came in place of another one is read from its beginning.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "main") main().focus({ preventScroll: true });
});

// The menu closes when somebody looks elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu-of-person[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu-of-person[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Amounts are hidden and shown by a key, too.
document.addEventListener("keydown", (event) => {
  if (!event.ctrlKey || !event.shiftKey || event.key.toLowerCase() !== "p") return;
  const button = document.querySelector("form[data-hides-amounts] button");
  if (button) {
    event.preventDefault();
    button.form.requestSubmit(button);
  }
});

// A form is sent once: holding Enter or clicking twice is no second wish. The server says so, too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
