// Keys. Those of one letter can be turned off, for who speaks to their computer: WCAG 2.2, 2.1.4.

const SINGLE = "bank-single-keys";
const help = document.getElementById("keys-help");
const palette = document.getElementById("palette");

const singleKeysAreOn = () => localStorage.getItem(SINGLE) !== "off";
const isTyping = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;
const rows = () => [...document.querySelectorAll(".rows a.row, .statement tbody a, .listing tbody a")];

function moveTo(step) {
  const all = rows();
  if (all.length === 0) return;
  const here = all.indexOf(document.activeElement);
  all[Math.min(Math.max(here + step, 0), all.length - 1)].focus();
}

function search() {
  document.querySelector('main input[type="search"], main input[name="text"], main input[name="q"]')?.focus();
}

const single = {
  "?": () => help?.showModal(),
  "/": search,
  j: () => moveTo(1),
  k: () => moveTo(-1),
};

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (event.ctrlKey && event.shiftKey && key === "p") {
    const button = document.querySelector("form[data-hides-amounts] button");
    if (button) {
      event.preventDefault();
      button.form.requestSubmit(button);
    }
  } else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && key === "k" && palette) {
    event.preventDefault();
    openPalette();
  } else if (
    !event.ctrlKey && !event.metaKey && !event.altKey
    && single[event.key] && singleKeysAreOn() && !isTyping(event.target) && !document.querySelector("dialog[open]")
  ) {
    event.preventDefault();
    single[event.key]();
  }
});

const choice = help?.querySelector("input[type=checkbox]");
if (choice) {
  choice.checked = singleKeysAreOn();
  choice.addEventListener("change", () => localStorage.setItem(SINGLE, choice.checked ? "on" : "off"));
}

// The palette: all places of the page's frame and its actions, found by a few letters.

const field = palette?.querySelector("input");
const list = document.createElement("ul");
palette?.append(list);

function places() {
  const links = document.querySelectorAll(".places a, .drop > a, main .head a, main .sections a");
  const found = new Map();
  for (const link of links) {
    const words = link.textContent.trim().replace(/\s+/g, " ");
    if (words && !found.has(link.href)) found.set(link.href, words);
  }
  return [...found];
}

function showPlaces() {
  const wanted = field.value.trim().toLowerCase();
  const fitting = places().filter(([, words]) => words.toLowerCase().includes(wanted));
  list.replaceChildren(
    ...fitting.map(([href, words]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = href;
      link.textContent = words;
      item.append(link);
      return item;
    }),
  );
}

function openPalette() {
  field.value = "";
  showPlaces();
  palette.showModal();
}

field?.addEventListener("input", showPlaces);
field?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    list.querySelector("a")?.click();
  } else if (event.key === "ArrowDown") {
    event.preventDefault();
    list.querySelector("a")?.focus();
  }
});
list.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const links = [...list.querySelectorAll("a")];
  const next = links.indexOf(document.activeElement) + step;
  (links[next] ?? (next < 0 ? field : links.at(-1))).focus();
});
