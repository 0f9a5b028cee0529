// What can be done without the mouse, and what happens beside HTMX?

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-toggle]")) {
    const dark = document.documentElement.classList.toggle("dark");
    localStorage.setItem("vite-ui-theme", dark ? "dark" : "light");
  }
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input") && !getSelection().toString()) location.assign(row.dataset.href);
});

// A choice of something kept hides the fields for something new.
document.addEventListener("change", ({ target }) => {
  if (target.dataset.switch) document.getElementById(target.dataset.switch).hidden = target.value !== "0";
});

// j and k walk through a table's rows, enter opens one, / goes to the search field.
let at = -1;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.select();
    }
  }
  const rows = [...document.querySelectorAll("tr[data-href]")];
  if (!rows.length) return;
  if (event.key === "j" || event.key === "k") {
    at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
    rows.forEach((row, place) => row.classList.toggle("at", place === at));
    rows[at].scrollIntoView({ block: "nearest" });
  }
  if (event.key === "Enter" && rows[at]) location.assign(rows[at].dataset.href);
});

// A note goes away by itself; a table that was searched begins at its first row again; an opened letter is marked.
new MutationObserver((changes) => {
  for (const note of changes.flatMap((change) => [...change.addedNodes])) {
    if (note.classList) setTimeout(() => note.remove(), 8000);
  }
}).observe(document.getElementById("notes"), { childList: true });
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  at = -1;
  const letter = detail.requestConfig?.elt.closest("[data-message]"); // its page has been kept for "back" by now
  if (!letter) return;
  letter.closest(".mailbox").classList.add("chosen"); // on a phone the letter takes the place of the list
  if (matchMedia("(max-width: 860px)").matches) scrollTo(0, 0);
  document.querySelector("[data-message][aria-current]")?.removeAttribute("aria-current");
  letter.setAttribute("aria-current", "true");
});
