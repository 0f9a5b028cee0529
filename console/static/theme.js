// Which theme was chosen? Set before anything is painted; the chat reads and writes the same key.
(() => {
  const chosen = localStorage.getItem("vite-ui-theme");
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
