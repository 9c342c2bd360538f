// The menu closes when somebody looks elsewhere, and a page that came in place of another one is read
// from its beginning.

const openMenus = () => document.querySelectorAll("details.menu-of-person[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "main") event.target.focus({ preventScroll: true });
});
