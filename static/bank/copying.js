// Buttons that copy what they name, where the browser lets pages copy at all.

if (navigator.clipboard) document.documentElement.classList.add("can-copy");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copies);
  const said = button.parentElement.querySelector("[data-copied]");
  said.textContent = said.dataset.copied;
});
