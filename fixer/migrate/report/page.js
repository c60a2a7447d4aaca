"use strict";
const form = document.getElementById("filter");
const items = Array.from(document.querySelectorAll("#list > li"));
const said = items.map((item) => `${item.querySelector("summary").textContent} ${item.dataset.said}`.toLowerCase());
const shown = document.getElementById("shown");
const more = document.getElementById("more");
const PAGE = 200;
let room = PAGE;

function show() {
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rule = form.elements.rule.value;
  const states = new Set(Array.from(form.querySelectorAll("input[name=state]:checked"), (box) => box.value));
  let found = 0;
  items.forEach((item, at) => {
    const fits = (!states.size || states.has(item.dataset.state))
      && (!rule || item.dataset.rules.split(" ").includes(rule))
      && words.every((word) => said[at].includes(word));
    found += fits;
    item.hidden = !fits || found > room;
  });
  const visible = Math.min(found, room);
  shown.textContent = `${found} of ${items.length} repositories${visible < found ? `, the first ${visible} shown` : ""}`;
  more.hidden = visible === found;
}

function colour(pre) {
  const kinds = { "+": "plus", "-": "minus", "@": "hunk" };
  const lines = pre.textContent.replace(/\n$/, "").split("\n");
  let inHunk = false;
  pre.replaceChildren(...lines.map((line) => {
    const span = document.createElement("span");
    if (line.startsWith("diff --git ")) inHunk = false;
    if (line.startsWith("@@")) inHunk = true;
    span.className = inHunk ? kinds[line[0]] || "" : "file";
    span.textContent = line + "\n";
    return span;
  }));
  pre.dataset.done = "";
}

function again() { room = PAGE; show(); }
form.addEventListener("input", again);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(again));
more.addEventListener("click", () => {
  const next = items.filter((item) => !item.hidden).length;
  room += PAGE;
  show();
  items.filter((item) => !item.hidden)[next].querySelector("summary").focus();
});
document.getElementById("list").addEventListener("toggle", (event) => {
  event.target.querySelectorAll("pre:not([data-done])").forEach(colour);
}, true);
form.hidden = false;
show();
