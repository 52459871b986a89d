// Steps through the cars of a pass. Every decision is sent as it is made. Text is only ever set as text.
(async function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const view = byId("view");
  let state, setting, current = null, ghost = null, centre = [0, 0], zoom = 1;
  // One thing after the other, however fast keys come.
  let queue = Promise.resolve();
  const later = (work) => { queue = queue.then(work).catch((error) => say(error.message, true)); };

  // ---- what goes over the wire ----
  async function ask(name, body) {
    let answer;
    try {
      answer = await fetch(name, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    } catch (error) {
      throw new Error("railcount does not answer: this was not kept. Start it again; what was decided before is kept.");
    }
    if (!answer.ok) throw new Error((await answer.text()).trim() || "railcount declined");
    return answer.json();
  }

  async function change(name, body, said) {
    try {
      state = await ask(name, body);
      say(said);
      return true;
    } catch (error) {
      say(error.message, true);
      return false;
    }
  }

  function say(text, wrong) {
    byId("message").textContent = text;
    byId("message").classList.toggle("wrong", !!wrong);
  }

  // ---- places, in metres east and north ----
  const middle = (ring) => [0, 1].map((k) => ring.reduce((sum, p) => sum + p[k], 0) / ring.length);
  function axis(ring) {
    const side = (a, b) => [b[0] - a[0], b[1] - a[1]];
    const one = side(ring[0], ring[1]), two = side(ring[1], ring[2]);
    const long = Math.hypot(...one) >= Math.hypot(...two) ? one : two;
    const angle = Math.atan2(long[1], long[0]);
    return { angle: Math.cos(angle) < 0 ? angle + Math.PI : angle, length: Math.hypot(...long) };
  }
  function corners(g) {
    const c = Math.cos(g.angle), s = Math.sin(g.angle);
    return [[-1, -1], [-1, 1], [1, 1], [1, -1]].map(([a, b]) => {
      const x = (a * g.length) / 2, y = (b * g.width) / 2;
      return [g.at[0] + x * c - y * s, g.at[1] + x * s + y * c];
    });
  }

  // ---- drawing ----
  const width = () => setting.widths_m[zoom];
  const height = () => (width() * setting.view_px[1]) / setting.view_px[0];
  const shown = () => Math.min(height(), (width() * view.clientHeight) / view.clientWidth);
  function element(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    parent.appendChild(made);
    return made;
  }
  const points = (ring) => ring.map((p) => p[0] + "," + -p[1]).join(" ");
  const line = (a, b, kind) => element("line", { x1: a[0], y1: -a[1], x2: b[0], y2: -b[1], class: kind }, view);
  const between = (a, b, part) => [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];

  function draw() {
    const [x, y] = centre, w = width(), h = height();
    view.setAttribute("viewBox", [x - w / 2, -y - h / 2, w, h].join(" "));
    const href = "view/" + x.toFixed(1) + "/" + y.toFixed(1) + "/" + w;
    [...view.children].forEach((one) => { if (one.tagName !== "image") one.remove(); });
    if (setting.has_pictures && [...view.children].every((one) => one.getAttribute("href") !== href)) {
      // What is there stays, in its place, until the new picture is.
      const image = element("image", { href: href, x: +x.toFixed(1) - w / 2, y: -y.toFixed(1) - h / 2, width: w, height: h, preserveAspectRatio: "none" }, view);
      image.addEventListener("load", () => { while (image.parentNode && image.previousSibling) image.previousSibling.remove(); });
      image.addEventListener("error", () => image.remove());
    }
    const seen = state.vehicles.filter((one) => one.ring.some((p) => Math.abs(p[0] - x) < w && Math.abs(p[1] - y) < h));
    seen.sort((a, b) => (a.id === current) - (b.id === current)).forEach(outline);
    if (ghost) element("polygon", { points: points(corners(ghost)), class: "ghost" }, view);
    view.classList.toggle("placing", !!ghost);
  }

  function outline(one) {
    const kind = [one.id === current ? "current" : "", one.doubtful && !one.decided ? "doubtful" : "", one.n ? "" : "rejected"].join(" ");
    element("polygon", { points: points(one.ring), class: "below " + kind }, view);
    const shape = element("polygon", { points: points(one.ring), class: "car " + kind, stroke: setting.colours[one.kind] }, view);
    element("title", {}, shape).textContent = one.name + ", " + one.kind;
    shape.addEventListener("click", (e) => { if (!ghost) { e.stopPropagation(); later(() => show(one.id)); } });
    const r = one.ring;
    if (!one.n) { line(r[0], r[2], "cross"); line(r[1], r[3], "cross"); }
    const long = Math.hypot(r[1][0] - r[0][0], r[1][1] - r[0][1]) >= Math.hypot(r[2][0] - r[1][0], r[2][1] - r[1][1]);
    const [a, b, c, d] = long ? r : [r[1], r[2], r[3], r[0]];
    for (let n = 1; n < one.n; n++) line(between(a, b, n / one.n), between(d, c, n / one.n), "cut");
  }

  function fate(one) {
    if (!one.n) return "rejected";
    if (one.name === "added") return one.n > 1 ? "added, split in " + one.n : "added";
    const words = [one.n > 1 ? "split in " + one.n : "", one.kind !== one.machine_kind ? "now " + one.kind : ""].filter(Boolean);
    return words.join(", ") || (one.decided ? "accepted" : "");
  }

  const car = () => state.vehicles.find((one) => one.id === current) || null;

  function tell() {
    const one = car(), n = state.railcars, doubtful = state.vehicles.filter((v) => v.doubtful);
    const open = doubtful.filter((v) => !v.decided).length;
    byId("pass").textContent = state.pass;
    byId("simulated").hidden = !state.simulated;
    byId("railcars").textContent = n + (n === 1 ? " railcar" : " railcars");
    byId("machine").textContent = "machine: " + state.machine + (state.entered === null || state.entered === n ? "" : ", entered: " + state.entered);
    byId("said").textContent = (state.n_decisions ? state.said + ". " : "") + (doubtful.length ? open + " of " + doubtful.length + " doubtful cars are open." : "No car is doubtful: the least sure come first.");
    byId("caption").textContent = (state.simulated ? "Simulated image. " : "") + "North is up, " + width() + " m wide; below it the straightened track. Dashed: doubtful." + (state.credit ? " Image: " + state.credit + "." : "");
    byId("name").textContent = one ? "Car " + one.name + ": " + one.kind : "No car";
    byId("fate").textContent = one ? fate(one) : "";
    const facts = byId("facts");
    facts.textContent = "";
    if (one) [["track", one.track || "not known"], ["length", one.length_m.toFixed(1) + " m"], ["confidence", one.confidence === null ? "yours" : one.confidence.toFixed(2)], ["flags", one.flags.join(", ") || "none"]].forEach(([k, v]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = k; dd.textContent = v;
      facts.append(dt, dd);
    });
    byId("choose").hidden = byId("kinds").hidden = !!ghost;
    byId("place").hidden = !ghost;
    document.querySelectorAll("#choose button").forEach((b) => {
      b.disabled = (!one && ["accept", "reject", "split"].includes(b.dataset.do)) || (b.dataset.do === "undo" && !state.last);
    });
    document.querySelectorAll("#kinds button").forEach((b) => { b.disabled = !one; b.setAttribute("aria-pressed", String(!!one && b.dataset.kind === one.kind)); });
    byId("who").textContent = state.who;
    byId("entered").textContent = (state.entered_words ? state.entered_words[0].toUpperCase() + state.entered_words.slice(1) + ". " : "") + (state.entered !== null && state.entered !== n ? "Your decisions come to " + n + "." : "");
    list();
    strip(one);
    draw();
  }

  function strip(one) {
    const image = byId("strip-image"), mark = byId("strip-mark");
    byId("strip").hidden = !one || !setting.has_pictures;
    if (byId("strip").hidden) return;
    const href = "strip/" + one.id, around = setting.strip_around_m, length = axis(one.ring).length;
    if (image.getAttribute("src") !== href) image.src = href;
    image.alt = (state.simulated ? "Simulated image: " : "") + "straightened track around car " + one.name;
    mark.style.left = mark.style.right = (100 * around) / (length + 2 * around) + "%";
    mark.style.borderColor = setting.colours[one.kind];
  }

  function list() {
    const place = byId("list"), at = place.scrollTop;
    place.textContent = "";
    state.vehicles.forEach((one) => {
      const item = document.createElement("li"), button = document.createElement("button");
      [one.name, one.kind, fate(one) || (one.confidence === null ? "" : one.confidence.toFixed(2))].forEach((text, n) => {
        const cell = document.createElement("span");
        cell.textContent = text;
        if (n === 2 && fate(one)) cell.className = "fate";
        button.append(cell);
      });
      button.type = "button";
      button.setAttribute("aria-current", String(one.id === current));
      button.addEventListener("click", () => later(() => show(one.id)));
      item.append(button);
      place.append(item);
      if (one.id === current) {
        place.scrollTop = at;
        const top = item.offsetTop, low = top + item.offsetHeight;
        if (top < at || low > at + place.clientHeight) place.scrollTop = top - place.clientHeight / 2;
      }
    });
  }

  // ---- doing ----
  function show(id) {
    current = id;
    ghost = null;
    const one = car();
    if (one) centre = middle(one.ring);
    tell();
  }

  function step(by) {
    const all = state.vehicles;
    if (!all.length) return;
    const at = all.findIndex((one) => one.id === current);
    show(all[(at + by + all.length) % all.length].id);
  }

  function onward() {
    const all = state.vehicles, at = all.findIndex((one) => one.id === current);
    const open = [...all.slice(at + 1), ...all.slice(0, at + 1)].find((one) => !one.decided);
    if (open) show(open.id);
    else { say("Every car is decided: C enters the count."); tell(); }
  }

  async function decide(action, more, said) {
    const one = car();
    if (!one) return false;
    const kept = await change("decide", { action: action, car: one.id, ...more }, said);
    if (kept) fill();
    return kept;
  }

  function fill() {
    // What is typed already stays, as long as the count does.
    if (byId("best").dataset.of === String(state.railcars)) return;
    byId("best").dataset.of = state.railcars;
    ["best", "low", "high"].forEach((id) => { byId(id).value = state.railcars; });
  }

  function inside(p, ring) {
    let is = false;
    ring.forEach((a, n) => {
      const b = ring[(n + 1) % ring.length];
      if (a[1] > p[1] !== b[1] > p[1] && p[0] < a[0] + ((p[1] - a[1]) / (b[1] - a[1])) * (b[0] - a[0])) is = !is;
    });
    return is;
  }
  function free(like) {
    // The nearest place in the car's row where none stands.
    const at = (n) => [0, 1].map((k) => centre[k] + n * (like.length + 1) * [Math.cos(like.angle), Math.sin(like.angle)][k]);
    const found = [0, 1, -1, 2, -2, 3, -3, 4, -4].find((n) => !state.vehicles.some((one) => one.n && inside(at(n), one.ring)));
    return at(found === undefined ? 1 : found);
  }

  const acts = {
    accept: async () => { const one = car(); if (await decide("accept", {}, one && "Accepted " + one.name)) onward(); },
    reject: async () => {
      const one = car();
      if (!(await decide("reject", {}, one && "Rejected " + one.name))) return;
      if (car()) onward(); else { current = null; onward(); }
    },
    split: async () => {
      const one = car();
      if (!one) return;
      const parts = Math.max(one.n, 1) + 1;
      if (parts > setting.max_parts) return say("One outline is split into " + setting.max_parts + " at most", true);
      if (await decide("split", { parts: parts }, "Split " + one.name + " in " + parts)) tell();
    },
    undo: async () => {
      const what = state.last;
      if (!(await change("undo", {}, "Took back: " + what))) return;
      fill();
      show(state.undone);
    },
    next: () => step(1),
    previous: () => step(-1),
    closer: () => { zoom = Math.max(0, zoom - 1); tell(); },
    wider: () => { zoom = Math.min(setting.widths_m.length - 1, zoom + 1); tell(); },
    outlines: () => view.classList.toggle("bare"),
    add: () => {
      const one = car();
      const like = one ? axis(one.ring) : { angle: 0, length: 14 };
      ghost = { at: free(like), angle: like.angle, length: like.length, width: 3 };
      say("");
      tell();
    },
    put: async () => {
      const ring = corners(ghost).map((p) => p.map((v) => Math.round(v * 100) / 100));
      const before = new Set(state.vehicles.map((one) => one.id));
      if (!(await change("decide", { action: "add", ring: ring, kind: "unknown" }, "Added a car: 1 to " + setting.kinds.length + " say its kind"))) return;
      const made = state.vehicles.find((one) => !before.has(one.id));
      fill();
      show(made ? made.id : current);
    },
    leave: () => { ghost = null; tell(); },
  };

  async function call(kind) {
    const one = car();
    if (one && (await decide("kind", { kind: kind }, "Car " + one.name + " is " + kind))) tell();
  }

  function move(along, across) {
    const c = Math.cos(ghost.angle), s = Math.sin(ghost.angle);
    moveTo([ghost.at[0] + along * c - across * s, ghost.at[1] + along * s + across * c]);
  }
  function moveTo(at) {
    ghost.at = at;
    if (Math.abs(at[0] - centre[0]) > 0.4 * width() || Math.abs(at[1] - centre[1]) > 0.4 * shown()) centre = [...at];
    draw();
  }

  const KEYS = { a: "accept", r: "reject", s: "split", n: "add", u: "undo", ArrowRight: "next", ArrowLeft: "previous", j: "next", k: "previous", "+": "closer", "=": "closer", "-": "wider", o: "outlines" };
  const MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 0.5], ArrowDown: [0, -0.5] };

  function placing(e) {
    const by = MOVES[e.key], far = e.shiftKey ? 10 : 1;
    if (by) move(by[0] * far, by[1] * far);
    else if (["closer", "wider", "outlines"].includes(KEYS[e.key])) return acts[KEYS[e.key]]();
    else if (e.key === "[" || e.key === "]") { ghost.angle += (e.key === "[" ? 1 : -1) * (Math.PI / 60); draw(); }
    else if (e.key === "Enter") return acts.put();
    else if (e.key === "Escape") acts.leave();
  }

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) {
      if (e.key.toLowerCase() === "z" && !e.altKey && e.target.tagName !== "INPUT") { e.preventDefault(); later(acts.undo); }
      return;
    }
    if (e.target.tagName === "INPUT") { if (e.key === "Escape") e.target.blur(); return; }
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key, kind = setting.kinds[Number(key) - 1];
    // Where no button has the focus these keys wait their turn too: a new car may be on its way.
    const places = ["ArrowUp", "ArrowDown", "Enter", "Escape", "[", "]"].includes(key) && (ghost || e.target === document.body);
    if (!(KEYS[key] || kind || key === "c" || places)) return;
    if (ghost || !places) e.preventDefault();
    later(() => {
      if (ghost) return placing(e);
      if (KEYS[key]) return acts[KEYS[key]]();
      if (kind) return call(kind);
      if (key === "c") byId("best").focus();
    });
  });
  document.querySelectorAll("[data-do]").forEach((b) => b.addEventListener("click", () => { b.blur(); later(acts[b.dataset.do]); }));
  view.addEventListener("click", (e) => {
    if (!ghost) return;
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(view.getScreenCTM().inverse());
    moveTo([p.x, -p.y]);
  });
  byId("best").addEventListener("input", () => { byId("low").value = byId("high").value = byId("best").value; });
  byId("enter").addEventListener("submit", (e) => {
    e.preventDefault();
    later(enter);
  });
  async function enter() {
    const body = { why: byId("why").value };
    ["best", "low", "high"].forEach((id) => { body[id] = Number(byId(id).value); });
    if (await change("enter", body, "Entered: " + body.best)) { document.activeElement.blur(); tell(); }
  }

  try {
    setting = await ask("setting");
    state = await ask("state");
  } catch (error) {
    return say(error.message, true);
  }
  setting.kinds.forEach((kind, n) => {
    const button = document.createElement("button"), key = document.createElement("kbd"), colour = document.createElement("i");
    button.type = "button";
    button.dataset.kind = kind;
    key.textContent = String(n + 1);
    colour.style.background = setting.colours[kind];
    button.append(key, colour, kind);
    button.addEventListener("click", () => { button.blur(); later(() => call(kind)); });
    byId("kinds").append(button);
  });
  setting.words.forEach((text) => {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    byId("words").append(note);
  });
  document.title = "Review of " + state.pass;
  byId("why").value = state.why;
  centre = [(setting.box[0] + setting.box[2]) / 2, (setting.box[1] + setting.box[3]) / 2];
  fill();
  const first = state.vehicles.find((one) => !one.decided) || state.vehicles[0];
  if (first) show(first.id); else tell();
  document.body.dataset.ready = "yes";
})();
