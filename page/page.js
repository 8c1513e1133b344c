"use strict";
(() => {
const number = v => {
  const a = Math.abs(v);
  return a >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(4)));
};

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

// Charts: what is nearest to the pointer is told; dragging sideways magnifies,
// a double click shows all again.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
document.body.append(tip);

for (const svg of document.querySelectorAll("svg[data-box]")) chart(svg);

function chart(svg) {
  const [left, bottom, right, top] = svg.dataset.box.split(" ").map(Number);
  const [x0, x1, y0, y1] = svg.dataset.axes.split(" ").map(Number);
  const logs = [svg.dataset.log[0] === "1", svg.dataset.log[1] === "1"];
  const height = svg.viewBox.baseVal.height;
  let from = 0, to = 1; // the part of the x axis that is shown
  const back = (share, a, b, log) => log ? a * Math.pow(b / a, share) : a + (b - a) * share;
  const dataX = px => back(from + (px - left) / (right - left) * (to - from), x0, x1, logs[0]);
  const dataY = px => back((px - bottom) / (top - bottom), y0, y1, logs[1]);
  const lines = [...svg.querySelectorAll("path")].filter(p => /(^|\s)[sf]c\d/.test(p.getAttribute("class") || ""));
  let points; // of every line, read when they are first asked for
  const read = () => points ??= lines.map(path => {
    const color = path.getAttribute("class").match(/[sf]c(\d)/)[1];
    const list = [...path.getAttribute("d").matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(m => [Number(m[1]), Number(m[2])]);
    return {path, color, list};
  });
  const where = e => {
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [p.x, height - p.y];
  };
  const zoomed = x => ((x - left) / (right - left) - from) / (to - from) * (right - left) + left;
  const names = {};
  for (const key of svg.closest("figure").querySelectorAll(".key")) names[[...key.classList].find(c => /^k\d$/.test(c)).slice(1)] = key.textContent;

  const tell = e => {
    const [x, y] = where(e);
    if (x < left || x > right || y < bottom || y > top) { tip.hidden = true; return; }
    const nearest = {};
    for (const {path, color, list} of read()) {
      if (path.classList.contains("off")) continue;
      for (const [px, py] of list) {
        const away = Math.abs(zoomed(px) - x) + Math.abs(py - y) / 50;
        if (!(color in nearest) || away < nearest[color][0]) nearest[color] = [away, px, py];
      }
    }
    const told = Object.entries(nearest).filter(([, [away]]) => away < 25);
    if (told.length === 0) { tip.hidden = true; return; }
    const atX = told.reduce((a, b) => a[1][0] < b[1][0] ? a : b)[1][1];
    const keep = [from, to];
    [from, to] = [0, 1];
    tip.textContent = number(dataX(atX)) + "\n" + told.map(([color, [, , py]]) => (names[color] ? names[color] + ": " : "") + number(dataY(py))).join("\n");
    [from, to] = keep;
    tip.hidden = false;
    tip.style.left = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 4) + "px";
    tip.style.top = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 4) + "px";
  };

  let clip;
  const axisTexts = [...svg.querySelectorAll("text")].filter(t => -Number(t.getAttribute("y")) < bottom - 2 && t.parentNode.getAttribute("transform") !== "rotate(90)" && /^-?[\d.]+[kMG]?$/.test(t.textContent));
  const original = axisTexts.map(t => t.textContent);
  const zoom = (a, b) => {
    [from, to] = [a, b];
    if (!clip) {
      const ns = "http://www.w3.org/2000/svg", id = "clip" + Math.random().toString(36).slice(2);
      const path = document.createElementNS(ns, "clipPath"), box = document.createElementNS(ns, "rect");
      path.id = id;
      for (const [k, v] of [["x", left - 3], ["y", bottom - 3], ["width", right - left + 6], ["height", top - bottom + 6]]) box.setAttribute(k, v);
      path.append(box);
      clip = document.createElementNS(ns, "g");
      clip.setAttribute("clip-path", `url(#${id})`);
      lines[0].before(path, clip);
      clip.append(...lines);
    }
    const scale = 1 / (to - from);
    for (const line of lines) {
      line.setAttribute("transform", scale === 1 ? "" : `translate(${left - (left + from * (right - left)) * scale} 0) scale(${scale} 1)`);
      line.setAttribute("vector-effect", "non-scaling-stroke");
    }
    axisTexts.forEach((t, i) => {
      const b = t.getBBox();
      t.textContent = scale === 1 ? original[i] : number(dataX(b.x + b.width / 2));
    });
  };

  let start = null;
  svg.addEventListener("pointermove", e => { if (start === null) tell(e); });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  svg.addEventListener("pointerdown", e => { if (e.pointerType === "mouse") { start = where(e)[0]; e.preventDefault(); } });
  svg.addEventListener("pointerup", e => {
    if (start === null) return;
    const end = where(e)[0], share = x => from + (Math.min(Math.max(x, left), right) - left) / (right - left) * (to - from);
    const [a, b] = [share(Math.min(start, end)), share(Math.max(start, end))];
    start = null;
    if (lines.length > 0 && Math.abs(b - a) > 0.02 * (to - from)) zoom(a, b);
  });
  svg.addEventListener("dblclick", () => { if (clip) zoom(0, 1); });
}

// A chart's title makes it as wide as the page, and small again.
for (const figure of document.querySelectorAll(".figures figure")) {
  const title = figure.querySelector("figcaption b");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "key";
  button.style.setProperty("--k", "none");
  button.textContent = "wider";
  button.setAttribute("aria-label", "wider: " + title.textContent);
  button.setAttribute("aria-pressed", "true");
  button.onclick = () => { button.textContent = figure.classList.toggle("big") ? "smaller" : "wider"; };
  (figure.querySelector(".keys") || figure.querySelector("figcaption")).append(button);
}
})();
