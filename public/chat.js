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
