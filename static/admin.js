// Before anything is painted: who chose no theme gets the one of their device.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  if (root.classList.contains("dark") || root.classList.contains("light")) {
    return;
  }
  const follow = () => root.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
})();
