// Before anything is painted: who chose no theme gets the one of their device.
(() => {
  const root = document.documentElement;
  root.classList.add("has-scripts");
  if (root.classList.contains("dark") || root.classList.contains("light")) {
    return;
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
})();

// Buttons that copy what stands beside them.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button && navigator.clipboard) {
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.textContent = "✓";
    });
  }
});
