"use strict";
(() => {
// Charts tell what is nearest to the pointer. Dragging sideways magnifies, and a
// double click shows all again; with the keyboard the arrows go from point to
// point, + and - magnify, Escape shows all.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
tip.setAttribute("role", "status");
document.body.append(tip);
const svgNS = "http://www.w3.org/2000/svg";
const careful = "9"; // the colour of rings, which have no value of their own
const within = (v, low, high) => Math.min(Math.max(v, low), high);
const middle = list => [(Math.min(...list.map(p => p[0])) + Math.max(...list.map(p => p[0]))) / 2, (Math.min(...list.map(p => p[1])) + Math.max(...list.map(p => p[1]))) / 2];

// A picture is drawn to a tenth of a unit: no more digits are told than that has.
const told = (v, step) => {
  if (!(step > 0)) return String(v);
  const digits = Math.max(0, -Math.ceil(Math.log10(step)));
  const unit = Math.pow(10, Math.ceil(Math.log10(step)));
  return (Math.round(v / unit) * unit || 0).toLocaleString("en", {minimumFractionDigits: Math.min(digits, 12), maximumFractionDigits: Math.min(digits, 12)});
};

// What a path stands for: the points of a line or of bars, one point that a mark
// is around, or none, as the ends of an interval do, and lines across.
const meaning = path => {
  const d = path.getAttribute("d"), kind = path.getAttribute("class") || "";
  const [, use, color] = kind.match(/(?:^|\s)([sf])c(\d)/);
  const list = [...d.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)].map(m => [Number(m[1]), Number(m[2])]);
  const arc = d.match(/M(-?[\d.]+),(-?[\d.]+)A[^A]*?[ ,](-?[\d.]+),(-?[\d.]+)A/);
  const part = {path, color, points: list};
  if (arc) {
    part.points = [[(Number(arc[1]) + Number(arc[3])) / 2, Number(arc[2])]];
    part.mark = part.points[0];
  } else if (!/(^|\s)w(\s|$)/.test(kind) && use === "s") {
    const across = path.hasAttribute("stroke-dasharray");
    const cross = !across && list.length === 2 && list[0][0] !== list[1][0] && list[0][1] !== list[1][1];
    part.points = cross ? [middle(list)] : [];
    if (!across) part.mark = middle(list);
  } else {
    part.points = levels(list) ?? list;
  }
  return part;
};

// Steps and bars stand for their levels, each in its middle; null for a line.
const levels = list => {
  let upright = 0;
  const flat = [];
  for (let i = 1; i < list.length; i++) {
    const [[ax, ay], [bx, by]] = [list[i - 1], list[i]];
    if (ax !== bx && ay !== by) return null;
    if (ax === bx) upright++;
    else flat.push(middle([list[i - 1], list[i]]));
  }
  return upright > 0 ? flat : null;
};

for (const svg of document.querySelectorAll("svg[data-box]")) chart(svg);

function chart(svg) {
  const [left, bottom, right, top] = svg.dataset.box.split(" ").map(Number);
  const [x0, x1, y0, y1] = svg.dataset.axes.split(" ").map(Number);
  const [logX, logY] = [...svg.dataset.log].map(c => c === "1");
  const height = svg.viewBox.baseVal.height;
  let from = 0, to = 1; // the part of the x axis that is shown
  const back = (share, a, b, log) => log ? a * Math.pow(b / a, share) : a + (b - a) * share;
  const valueX = px => back((px - left) / (right - left), x0, x1, logX);
  const valueY = py => back((py - bottom) / (top - bottom), y0, y1, logY);
  const tellX = px => told(valueX(px), valueX(px + 0.1) - valueX(px));
  const tellY = py => told(valueY(py), valueY(py + 0.1) - valueY(py));
  const shown = px => left + ((px - left) / (right - left) - from) / (to - from) * (right - left);

  const paths = [...svg.querySelectorAll("path")].filter(p => /(^|\s)[sf]c\d/.test(p.getAttribute("class") || ""));
  let parts; // made when they are first needed
  const read = () => parts ??= paths.map(meaning);
  const names = new Map(); // of colours, as the legend has them
  for (const key of svg.closest("figure").querySelectorAll(".key")) names.set([...key.classList].find(c => /^k\d$/.test(c)).slice(1), key.textContent);

  const where = e => {
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [p.x, height - p.y];
  };
  const onScreen = (x, y) => {
    const p = new DOMPoint(x, height - y).matrixTransform(svg.getScreenCTM());
    return [p.x, p.y];
  };

  const visible = function* () {
    for (const {path, color, points} of read()) {
      if (path.classList.contains("off")) continue;
      for (const [x, y] of points) if (shown(x) >= left - 1 && shown(x) <= right + 1) yield {color, x, y};
    }
  };
  // tell shows the point that is nearest to a place, and what other colours have
  // at the same x; a y of null is any.
  const tell = (x, y, atX, atY) => {
    let best = null, least = 25;
    for (const p of visible()) {
      const away = Math.hypot(shown(p.x) - x, y === null ? 0 : (p.y - y) / 10);
      if (away < least) [best, least] = [p, away];
    }
    tip.hidden = best === null;
    if (tip.hidden) return;
    const there = new Map([[best.color, best]]);
    for (const p of visible()) if (Math.abs(shown(p.x) - shown(best.x)) < 0.6 && !there.has(p.color)) there.set(p.color, p);
    const words = [];
    for (const color of new Set([...names.keys(), ...there.keys()])) {
      const name = names.get(color);
      if (!there.has(color)) continue;
      words.push(color === careful ? name : (name ? name + ": " : "") + tellY(there.get(color).y));
    }
    tip.textContent = [tellX(best.x), ...words].join("\n");
    tip.style.left = within(atX + 14, 0, Math.max(0, innerWidth - tip.offsetWidth - 4)) + "px";
    tip.style.top = within(atY + 14, 0, Math.max(0, innerHeight - tip.offsetHeight - 4)) + "px";
  };
  const tellAt = e => {
    const [x, y] = where(e);
    if (x < left || x > right || y < bottom || y > top) tip.hidden = true;
    else tell(x, y, e.clientX, e.clientY);
  };

  const texts = [...svg.querySelectorAll("text")].filter(t => t.parentNode.getAttribute("transform") !== "rotate(90)").map(t => ({t, x: Number(t.getAttribute("x")), y: -Number(t.getAttribute("y")), text: t.textContent}));
  const ticks = texts.filter(o => o.y < bottom - 6 && /^-?[\d.]+[kMG]?$/.test(o.text));
  const beside = texts.filter(o => o.y > bottom && o.x >= left);
  let clip;
  const clipped = () => {
    const id = "clip" + Math.random().toString(36).slice(2);
    const path = document.createElementNS(svgNS, "clipPath"), box = document.createElementNS(svgNS, "rect");
    path.id = id;
    for (const [k, v] of [["x", left - 3], ["y", bottom - 3], ["width", right - left + 6], ["height", top - bottom + 6]]) box.setAttribute(k, v);
    path.append(box);
    const group = document.createElementNS(svgNS, "g");
    group.setAttribute("clip-path", `url(#${id})`);
    paths[0].before(path, group);
    group.append(...paths);
    return group;
  };
  // zoom shows a part of the x axis: lines are stretched, marks and texts moved.
  const zoom = (a, b) => {
    if (paths.length === 0) return;
    clip ??= clipped();
    [from, to] = [a, b];
    const scale = 1 / (to - from), all = from === 0 && to === 1;
    for (const {path, mark} of read()) {
      if (all) path.removeAttribute("transform");
      else if (mark) path.setAttribute("transform", `translate(${shown(mark[0]) - mark[0]} 0)`);
      else path.setAttribute("transform", `translate(${shown(0)} 0) scale(${scale} 1)`);
      path.setAttribute("vector-effect", "non-scaling-stroke");
    }
    for (const o of beside) {
      const x = shown(o.x - 4) + 4; // it stands beside its point
      o.t.setAttribute("x", x);
      o.t.classList.toggle("off", x < left || x > right);
    }
    for (const o of ticks) {
      o.t.textContent = o.text;
      if (all) continue;
      const box = o.t.getBBox(), px = box.x + box.width / 2, at = left + (from + (px - left) / (right - left) * (to - from)) * (right - left);
      o.t.textContent = told(valueX(at), Math.abs(valueX(at + 3 / scale) - valueX(at)));
    }
  };

  let start = null, band;
  const share = x => from + (within(x, left, right) - left) / (right - left) * (to - from);
  svg.addEventListener("pointermove", e => {
    if (start === null) { tellAt(e); return; }
    const x = within(where(e)[0], left, right), begun = within(start, left, right);
    band.setAttribute("x", Math.min(x, begun));
    band.setAttribute("width", Math.abs(x - begun));
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  svg.addEventListener("pointerdown", e => {
    if (e.pointerType !== "mouse") { tellAt(e); return; }
    if (e.button !== 0) return;
    e.preventDefault();
    svg.setPointerCapture(e.pointerId);
    tip.hidden = true;
    start = where(e)[0];
    band = document.createElementNS(svgNS, "rect");
    band.classList.add("band");
    for (const [k, v] of [["y", height - top], ["height", top - bottom], ["width", 0]]) band.setAttribute(k, v);
    svg.append(band);
  });
  const finish = (e, done) => {
    if (start === null) return;
    const [a, b] = [share(start), share(where(e)[0])].sort((x, y) => x - y);
    start = null;
    band.remove();
    if (done && b - a > 0.02 * (to - from)) zoom(a, b);
  };
  svg.addEventListener("pointerup", e => finish(e, true));
  svg.addEventListener("pointercancel", e => finish(e, false));
  svg.addEventListener("dblclick", () => zoom(0, 1));

  // With the keyboard: the cursor is on one of the places that have a point.
  svg.setAttribute("tabindex", "0");
  let cursor = -1;
  const places = () => [...new Set([...visible()].map(p => p.x))].sort((a, b) => a - b);
  const keys = {
    ArrowRight: n => within(cursor + 1, 0, n - 1), ArrowLeft: n => within(cursor - 1, 0, n - 1), Home: () => 0, End: n => n - 1,
  };
  svg.addEventListener("keydown", e => {
    const xs = places(), centre = cursor >= 0 && cursor < xs.length ? share(shown(xs[cursor])) : (from + to) / 2;
    if (e.key in keys && xs.length > 0) {
      cursor = keys[e.key](xs.length);
      tell(shown(xs[cursor]), null, ...onScreen(shown(xs[cursor]), (bottom + top) / 2));
    } else if (e.key === "+" || e.key === "-") {
      const width = within((to - from) * (e.key === "+" ? 0.5 : 2), 0.001, 1), a = within(centre - width / 2, 0, 1 - width);
      zoom(a, a + width);
      cursor = -1;
      tip.hidden = true;
    } else if (e.key === "Escape") {
      zoom(0, 1);
      cursor = -1;
      tip.hidden = true;
    } else {
      return;
    }
    e.preventDefault();
  });
  svg.addEventListener("blur", () => { tip.hidden = true; });
}
})();
