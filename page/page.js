"use strict";
(() => {
// Tables: a click on a column's head sorts by it, numbers as numbers.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = row => {
        const text = row.cells[column].textContent.trim();
        const plain = Number(text.replaceAll(",", ""));
        return text !== "" && !Number.isNaN(plain) ? plain : text;
      };
      const order = (a, b) => {
        const x = value(a), y = value(b);
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        const c = typeof x === "number" ? x - y : x.localeCompare(y, "en", {numeric: true});
        return down ? -c : c;
      };
      body.append(...[...body.rows].sort(order));
    };
  });
}

// A link to a run opens it.
const reveal = () => {
  const to = location.hash && document.getElementById(location.hash.slice(1));
  if (to instanceof HTMLDetailsElement) to.open = true;
};
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));

// Legends: a click takes a colour out of the chart.
for (const key of document.querySelectorAll(".key")) {
  const color = [...key.classList].find(c => /^k\d$/.test(c)).slice(1);
  const button = document.createElement("button");
  button.type = "button";
  button.className = key.className;
  button.textContent = key.textContent;
  button.setAttribute("aria-pressed", "true");
  key.replaceWith(button);
  button.onclick = () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    for (const path of button.closest("figure").querySelectorAll(`.sc${color},.fc${color}`)) path.classList.toggle("off", !on);
  };
}

// A chart's title makes it as wide as the page, and small again.
for (const figure of document.querySelectorAll(".figures figure")) {
  const title = figure.querySelector("figcaption b");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "wider";
  const name = word => {
    button.textContent = word;
    button.setAttribute("aria-label", word + ": " + title.textContent);
  };
  name("wider");
  button.onclick = () => name(figure.classList.toggle("big") ? "smaller" : "wider");
  (figure.querySelector(".keys") || figure.querySelector("figcaption")).append(button);
}
})();
