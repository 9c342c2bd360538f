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

// A part swaps the same page's, with what was wrong on it, too. Anything else is loaded as a whole: the
// door, when a session has ended, and pages that say what failed.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const answered = new URL(detail.xhr.responseURL);
  detail.shouldSwap = answered.pathname === location.pathname && detail.serverResponse.includes('id="main"');
  detail.isError = !detail.shouldSwap;
  if (!detail.shouldSwap) location.assign(answered);
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "main") event.target.focus({ preventScroll: true });
});
