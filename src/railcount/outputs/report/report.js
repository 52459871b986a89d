// Draws the time line and the bars with ECharts, the map with Leaflet. Text is only ever set as text.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const byId = (id) => document.getElementById(id);
  const font = getComputedStyle(document.body).fontFamily;
  const PAPER_PX = 680;
  let printing = false;

  function theme() {
    return dark.matches && !printing
      ? { ink: "#e6e9ed", faint: "#a3abb6", line: "#3a414b", paper: "#1d2127", gap: "rgba(255,255,255,0.06)", own: "#7db8f5", hand: "#f0e442", max: "#ff8a5c" }
      : { ink: "#1b1e23", faint: "#5b626d", line: "#d9dde3", paper: "#ffffff", gap: "rgba(30,40,60,0.07)", own: "#0b5cad", hand: "#6a3d9a", max: "#c0392b" };
  }

  function tip(lines) {
    const box = document.createElement("div");
    box.className = "tip";
    lines.filter(Boolean).forEach((line, n) => {
      const row = document.createElement("div");
      row.textContent = line;
      row.style.cssText = (n ? "" : "font-weight:700;") + "max-width:340px;white-space:normal";
      box.appendChild(row);
    });
    return box;
  }

  const words = (p) => [p.day + ": " + p.said, p.from + (p.simulated ? " (simulated)" : ""), p.notes.slice(0, 240)];

  // ---- time line ----
  const points = data.timeline.points;
  const SYMBOLS = ["diamond", "triangle", "rect", "pin", "roundRect", "arrow"];
  const PALETTE = ["#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#999999"];
  const names = [...new Set(points.map((p) => p.series))];
  const published = names.filter((n) => points.some((p) => p.series === n && p.method === "published"));

  function look(name, t) {
    if (name === "railcount") return { symbol: "circle", color: t.own, size: 11 };
    if (!published.includes(name)) return { symbol: "diamond", color: t.hand, size: 14 };
    const n = published.indexOf(name) % SYMBOLS.length;
    return { symbol: SYMBOLS[n], color: PALETTE[n], size: 12 };
  }

  function bars(series, own, color) {
    return {
      type: "custom", name: series, silent: true, z: 2, itemStyle: { color: color },
      data: own.filter((p) => p.high > p.low).map((p) => [p.x, up(p.low), up(p.high)]),
      renderItem: function (params, api) {
        const a = api.coord([api.value(0), api.value(1)]), b = api.coord([api.value(0), api.value(2)]);
        const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: color, lineWidth: 2 } });
        return { type: "group", children: [line(a[0], a[1], b[0], b[1]), line(a[0] - 4, a[1], a[0] + 4, a[1]), line(b[0] - 4, b[1], b[0] + 4, b[1])] };
      },
    };
  }

  // On a root axis everything is drawn at its root, and the axis is labelled with what it is the root of.
  let root = false;
  const up = (count) => root && count !== null ? Math.sqrt(count) : count;
  const TICKS = [0, 1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

  let steps = [];
  function timelineOption(width) {
    const t = theme(), narrow = width < 560, series = [];
    steps = [];
    names.forEach((name) => {
      const own = points.filter((p) => p.series === name && p.y !== null), l = look(name, t);
      if (!own.length) return;
      own.forEach((p, n) => steps.push({ p: p, seriesIndex: series.length, dataIndex: n }));
      series.push({
        type: "scatter", name: name, z: 3, symbol: l.symbol, symbolSize: l.size, itemStyle: { color: l.color, borderColor: t.paper, borderWidth: 1 },
        data: own.map((p) => ({ value: [p.x, up(p.y)], p: p })),
      });
      series.push(bars(name, own, l.color));
    });
    const without = points.filter((p) => p.y === null);
    if (without.length) {
      without.forEach((p, n) => steps.push({ p: p, seriesIndex: series.length, dataIndex: n }));
      series.push({
        type: "scatter", name: "no count", z: 4, symbolSize: 11, itemStyle: { color: t.ink },
        symbol: "path://M0,1L1,0L5,4L9,0L10,1L6,5L10,9L9,10L5,6L1,10L0,9L4,5Z",
        data: without.map((p) => ({ value: [p.x, 0], p: p })),
      });
    }
    data.timeline.periods.forEach((one) => series.push({
      type: "line", name: "stated maximum of a period", symbol: "none", lineStyle: { color: t.faint, width: 2, type: "dotted" }, itemStyle: { color: t.faint },
      data: [{ value: [one.from, up(one.most)], label_: one.label }, { value: [one.to, up(one.most)], label_: one.label }],
    }));
    const max = data.timeline.max;
    if (max) series.push({
      type: "line", name: "five-year maximum", symbol: "none", lineStyle: { color: t.max, width: 2, type: "dashed" }, itemStyle: { color: t.max },
      data: [[max.from, up(max.max)], [max.to, up(max.max)]],
      markPoint: { symbol: "rect", symbolSize: 0.1, silent: true, data: [{ coord: [max.from, up(max.max)], value: "five-year maximum: " + max.max }], label: { color: t.max, position: [4, -17], align: "left", fontWeight: 600, formatter: "{c}" } },
    });
    if (data.timeline.gaps.length && series.length) series[0].markArea = {
      silent: true, itemStyle: { color: t.gap },
      label: { color: t.faint, fontSize: 11, position: "insideTop" },
      data: data.timeline.gaps.map((g) => [{ xAxis: g.from, name: !narrow && g.days > 300 ? g.days + " days" : "" }, { xAxis: g.to }]),
    };
    steps.sort((a, b) => a.p.x - b.p.x);
    const known = [...points.map((p) => p.x), ...data.timeline.periods.flatMap((one) => [one.from, one.to]), ...(max ? [max.from, max.to] : [])];
    const first = Math.min(...known), last = Math.max(...known), room = (last - first) * 0.02 + 864e5;
    const most = Math.max(1, ...points.map((p) => Math.max(p.y, p.high)), ...data.timeline.periods.map((one) => one.most), max ? max.max : 0);
    const ticks = TICKS.filter((one) => one <= most).map(up);
    const marks = root ? { max: 1.05 * up(most), axisTick: { customValues: ticks }, axisLabel: { color: t.faint, customValues: ticks, formatter: (v) => String(Math.round(v * v)) } } : { minInterval: 1, axisLabel: { color: t.faint } };
    // Lines are dashed and dotted there as in the chart.
    const icons = { dashed: "path://M0,9H10V12H0ZM14,9H24V12H14Z", dotted: "path://M0,9H3V12H0ZM7,9H10V12H7ZM14,9H17V12H14ZM21,9H24V12H21Z" };
    const legend = [...new Set(series.map((s) => s.name))].map((name) => { const line = series.find((s) => s.name === name && s.type === "line"); return line ? { name: name, icon: icons[line.lineStyle.type] } : name; });
    return {
      animation: false, useUTC: true, textStyle: { fontFamily: font }, backgroundColor: "transparent",
      legend: { type: narrow ? "scroll" : "plain", top: 0, left: 0, textStyle: { color: t.ink }, pageTextStyle: { color: t.ink }, pageIconColor: t.ink, data: legend },
      grid: { left: 44, right: 18, top: narrow ? 56 : 76, bottom: 54 },
      tooltip: {
        trigger: "item", confine: true, backgroundColor: t.paper, borderColor: t.line, textStyle: { color: t.ink },
        formatter: (e) => e.data && e.data.p ? tip(words(e.data.p)) : tip([e.seriesName + (e.data && e.data.label_ ? ": " + e.data.label_ : "")]),
      },
      xAxis: { type: "time", min: first - room, max: last + room, axisLine: { lineStyle: { color: t.faint } }, axisLabel: { color: t.faint, hideOverlap: true }, splitLine: { show: false } },
      yAxis: { type: "value", min: 0, ...marks, name: "railcars", nameTextStyle: { color: t.faint, align: "right" }, splitLine: { lineStyle: { color: t.line } } },
      dataZoom: printing ? [] : [{ type: "slider", height: 18, bottom: 8, brushSelect: false, showDetail: false, borderColor: t.line, textStyle: { color: t.faint }, fillerColor: "rgba(86,140,200,0.2)" }],
      series: series,
    };
  }

  function kindsOption() {
    const t = theme(), own = data.kinds;
    return {
      animation: false, textStyle: { fontFamily: font }, aria: { decal: { show: true, decals: Object.keys(own.kinds).map((k, n) => n % 2 ? { symbol: "line", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: n, color: "rgba(0,0,0,0.28)" } : { symbol: "none" }) }, enabled: true, label: { enabled: false } },
      legend: { type: "scroll", top: 0, left: 0, textStyle: { color: t.ink }, pageTextStyle: { color: t.ink } },
      grid: { left: 44, right: 18, top: 40, bottom: 70 },
      tooltip: {
        trigger: "axis", confine: true, axisPointer: { type: "shadow" }, backgroundColor: t.paper, borderColor: t.line, textStyle: { color: t.ink },
        formatter: (all) => tip([all[0].name, ...all.filter((e) => e.value).map((e) => e.value + " " + e.seriesName)]),
      },
      xAxis: { type: "category", data: own.days, axisLine: { lineStyle: { color: t.faint } }, axisLabel: { color: t.faint, rotate: 45, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: t.faint }, splitLine: { lineStyle: { color: t.line } } },
      series: Object.entries(own.kinds).map(([kind, values]) => ({ type: "bar", stack: "all", name: kind, data: values.map((v) => v || null), barMaxWidth: 34, itemStyle: { color: data.colours[kind], borderColor: t.paper, borderWidth: 0.5 } })),
    };
  }

  const charts = [];
  function chart(id, option) {
    const at = byId(id);
    if (!at) return null;
    const made = echarts.init(at, null, { renderer: "svg" });
    const draw = () => { made.resize(); made.setOption(option(at.clientWidth), true); };
    draw();
    charts.push(draw);
    return made;
  }
  const timeline = chart("timeline", timelineOption);
  chart("kinds", kindsOption);
  byId("timeline").dataset.ready = "yes";
  const redraw = () => charts.forEach((draw) => draw());
  dark.addEventListener("change", redraw);
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; redraw(); } });

  byId("root").addEventListener("click", () => {
    root = !root;
    byId("root").setAttribute("aria-pressed", String(root));
    redraw();
  });

  let at = -1;
  byId("timeline").addEventListener("keydown", (e) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!by || !steps.length) return;
    e.preventDefault();
    at = Math.max(0, Math.min(steps.length - 1, at + by));
    const s = steps[at];
    timeline.dispatchAction({ type: "showTip", seriesIndex: s.seriesIndex, dataIndex: s.dataIndex });
    byId("said").textContent = words(s.p).filter(Boolean).join(". ");
  });

  // ---- map ----
  const scene = data.scene, place = byId("map");
  if (!scene || !place) return;
  const ll = (p) => [p[1], p[0]];
  const box = scene.box, bounds = [[box[1], box[0]], [box[3], box[2]]];
  const shape = (box[3] - box[1]) / (box[2] - box[0]);
  const sized = () => { place.style.height = Math.max(320, Math.min(640, Math.round(place.clientWidth * shape))) + "px"; };
  sized();
  const map = L.map(place, { crs: L.CRS.Simple, minZoom: -6, maxZoom: 4.5, zoomSnap: 0.25, attributionControl: false, maxBounds: L.latLngBounds(bounds).pad(0.5), zoomAnimation: false, fadeAnimation: false });
  map.fitBounds(bounds);
  L.control.scale({ imperial: false }).addTo(map);
  const north = L.control({ position: "topleft" });
  north.onAdd = () => { const e = L.DomUtil.create("div", "north"); e.textContent = "N \u2191"; return e; };
  north.addTo(map);
  const layers = {};
  if (scene.picture) layers["image"] = L.imageOverlay(scene.picture, bounds, { alt: data.simulated ? "Simulated image of the yard" : "Image of the yard" }).addTo(map);
  layers["tile edges"] = L.layerGroup(scene.tiles.map((tile) => L.polygon(tile.ring.map(ll), { color: "#888", weight: 1, fill: false, interactive: false })));
  layers["tracks"] = L.layerGroup(scene.tracks.map((track) => L.polyline(track.line.map(ll), { color: scene.picture ? "#ffffff" : "#888", weight: 1.2, opacity: 0.6, interactive: false }))).addTo(map);
  const shapes = scene.cars.map((car, n) => {
    const doubtful = car.confidence < 0.5;
    const shape = L.polygon(car.ring.map(ll), { color: data.colours[car.kind], weight: 2, opacity: 1, fillOpacity: 0.28, dashArray: doubtful ? "4 3" : null });
    shape.on("click", () => show(n));
    shape.on("add", () => {
      const e = shape.getElement();
      e.setAttribute("tabindex", "0");
      e.setAttribute("role", "button");
      e.setAttribute("class", e.getAttribute("class") + " car");
      e.setAttribute("aria-label", "Car " + car.name + ", " + car.kind + ", " + car.length_m.toFixed(1) + " m");
      e.addEventListener("keydown", (k) => { if (k.key === "Enter" || k.key === " ") { k.preventDefault(); show(n); } });
    });
    return shape;
  });
  layers["cars"] = L.layerGroup(shapes).addTo(map);
  layers["confidence below 0.5"] = L.layerGroup(scene.cars.filter((c) => c.confidence < 0.5).map((c) => L.circleMarker(ll(c.ring[0]), { radius: 9, color: "#ff3b30", weight: 2, fill: false, interactive: false })));
  L.control.layers(null, layers, { collapsed: true }).addTo(map);

  let chosen = -1, order = scene.cars.map((c, n) => n);
  function show(n) {
    const car = scene.cars[n];
    if (shapes[chosen]) shapes[chosen].setStyle({ weight: 2, fillOpacity: 0.28 });
    chosen = n;
    shapes[n].setStyle({ weight: 4, fillOpacity: 0.55 });
    if (!map.getBounds().contains(shapes[n].getBounds())) map.panTo(shapes[n].getBounds().getCenter(), { animate: false });
    byId("hint").hidden = true;
    byId("car").hidden = false;
    byId("car-name").textContent = "Car " + car.name + ": " + car.kind;
    byId("crop").hidden = !car.crop;
    byId("no-crop").hidden = !!car.crop;
    if (car.crop) {
      byId("crop-image").src = car.crop;
      byId("crop-image").alt = (data.simulated ? "Simulated image: " : "") + "straightened track around car " + car.name;
      const whole = car.length_m + 2 * scene.crop_around_m, mark = byId("crop-mark");
      mark.style.left = (100 * scene.crop_around_m / whole) + "%";
      mark.style.right = (100 * scene.crop_around_m / whole) + "%";
      mark.style.borderColor = data.colours[car.kind];
    }
    const facts = byId("car-facts");
    facts.textContent = "";
    [["kind", car.kind], ["covered", car.covered], ["length", car.length_m.toFixed(1) + " m"], ["confidence", car.confidence.toFixed(2)], ["track", car.track], ["flags", car.flags.join(", ") || "none"]].forEach(([k, v]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = k; dd.textContent = v;
      facts.append(dt, dd);
    });
  }
  function step(by) {
    if (!order.length) return;
    const k = order.indexOf(chosen);
    show(order[(k < 0 ? (by > 0 ? 0 : order.length - 1) : k + by + order.length) % order.length]);
  }
  byId("next").addEventListener("click", () => step(1));
  byId("previous").addEventListener("click", () => step(-1));
  byId("doubtful").addEventListener("click", () => {
    order = [...order].sort((a, b) => scene.cars[a].confidence - scene.cars[b].confidence || a - b);
    if (order.length) show(order[0]);
  });

  function forPaper(on) {
    printing = on;
    // What is drawn now goes onto the paper, whose width no script is told: that of A4 and letter.
    document.body.style.width = on ? PAPER_PX + "px" : "";
    document.body.classList.toggle("paper", on);
    redraw();
    sized();
    map.invalidateSize({ animate: false });
    map.fitBounds(bounds, { animate: false });
  }
  window.addEventListener("beforeprint", () => forPaper(true));
  window.addEventListener("afterprint", () => forPaper(false));
})();
