// What does the chat page need beside Chainlit? The theme the console uses, and numbers and money as the cards write them.
localStorage.getItem("vite-ui-theme") ?? localStorage.setItem("vite-ui-theme", "system");

window.parley = {
  cards: {},
  number: (value, places = 0) =>
    Number(value).toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }),
  share: (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part && part / whole < 0.01 ? 2 : 1)} %` : ""),
  money: (value, currency) =>
    Number(value).toLocaleString("en-US", {
      style: "currency",
      currency,
      maximumFractionDigits: Math.abs(value) >= 1000 ? 0 : 2,
      minimumFractionDigits: Math.abs(value) >= 1000 ? 0 : 2,
    }),
};

// Below a path, Chainlit leaves a new conversation at the address of an empty one.
addEventListener("message", ({ source, data }) => {
  if (source === window && data?.conversation && /^\/chat\/?$/.test(location.pathname)) {
    history.replaceState(history.state, "", `/chat/thread/${encodeURIComponent(data.conversation)}`);
  }
});
