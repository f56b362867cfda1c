"use strict";
(() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const space = document.querySelector(".space.body");
  const rows = new Map(all(".story tbody tr[id]").map((row) => [row.id.slice(1), row]));
  const dots = new Map(all(".space .turn").map((dot) => [dot.dataset.turn, dot]));
  const letters = all(".space .letter");
  const make = (name, text, attributes = {}) => Object.assign(document.createElement(name), { textContent: text }, attributes);

  // A turn that is chosen shows what led to it.
  const panel = make("div", "", { className: "chosen", hidden: true });
  panel.setAttribute("role", "status");
  document.body.append(panel);
  const past = (turn) => {
    const seen = new Set(), open = [turn];
    while (open.length) {
      const next = open.pop();
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...rows.get(next).dataset.causes.split(" ").filter(Boolean));
    }
    return seen;
  };
  const clear = () => {
    panel.hidden = true;
    space.classList.remove("past");
    all(".lit, .chosen-dot").forEach((lit) => lit.classList.remove("lit", "chosen-dot"));
  };
  const choose = (turn) => {
    clear();
    const row = rows.get(turn);
    if (!row || !dots.has(turn)) return;
    const led = past(turn);
    space.classList.add("past");
    led.forEach((one) => [rows.get(one), dots.get(one)].forEach((part) => part && part.classList.add("lit")));
    letters.filter(({ dataset: { from, to } }) => to && led.has(from) && led.has(to)).forEach((letter) => letter.classList.add("lit"));
    dots.get(turn).classList.add("chosen-dot");
    const close = make("button", "Close", { type: "button", onclick: clear });
    const where = make("a", "in the story", { href: "#t" + turn });
    const head = make("p", "");
    head.append(make("b", row.cells[0].textContent + " " + row.cells[1].textContent), " · ", where, " · " +
      (led.size === 1 ? "nothing that is drawn led to it" : led.size - 1 + (led.size === 2 ? " turn" : " turns") + " led to it"));
    panel.replaceChildren(close, head, ...row.cells[2].cloneNode(true).childNodes);
    panel.hidden = false;
  };
  if (space) space.addEventListener("click", (event) => {
    const dot = event.target.closest(".turn");
    if (dot) event.preventDefault();
    dot ? choose(dot.dataset.turn) : clear();
  });
  document.querySelectorAll(".story .time a").forEach((link) => link.addEventListener("click", () => choose(link.hash.slice(2))));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });

  // Nodes that nobody wants to see are left out.
  const names = new Map(all(".story tbody tr[data-node]").map((row) => [row.dataset.node, row.cells[1].textContent]));
  const tools = make("div", "", { className: "tools" });
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "Nodes that are shown");
  tools.append(make("span", "Show", { className: "dim" }));
  [...names].sort(([one], [other]) => one - other).forEach(([node, name]) => {
    const box = make("input", "", { type: "checkbox", checked: true });
    const label = make("label", "");
    label.append(box, " " + name);
    box.addEventListener("change", () => {
      all(`.story tr[data-node="${node}"]`).forEach((row) => { row.hidden = !box.checked; });
      all(`.space [data-node="${node}"], .space [data-ends~="${node}"]`).forEach((part) => part.classList.toggle("off", !box.checked));
    });
    tools.append(label);
  });
  tools.append(make("span", "· A click on a dot shows what led to it.", { className: "dim" }));
  if (space) space.parentElement.before(tools);
})();
