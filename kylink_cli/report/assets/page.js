"use strict";
(() => {
  const { charts, tables, states, words } = JSON.parse(document.getElementById("data").textContent);
  const language = document.documentElement.lang;
  const ROWS_AT_ONCE = 20;
  const SVG = "http://www.w3.org/2000/svg";

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const number = (value) => value.toLocaleString(language, { maximumSignificantDigits: Math.abs(value) < 1000 ? 4 : 12 });

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  // Colours: what a canvas is painted with is looked up where the style sheet says it.

  const probe = document.body.appendChild(element("span", { hidden: true }));
  function color(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }

  // Charts

  const dayAndHour = (options) => new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
  const shortDay = dayAndHour({ month: "short", day: "numeric" });
  const hourOnly = dayAndHour({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  function momentLabels(_, splits) {
    return splits.map((seconds) => {
      const moment = new Date(seconds * 1000);
      return moment.getUTCHours() === 0 ? shortDay.format(moment) : hourOnly.format(moment);
    });
  }

  function xAxis(chart) {
    const base = { label: chart.x.title, size: 28, space: chart.x.kind === "category" ? 24 : 64 };
    if (chart.x.kind === "time") return { ...base, values: momentLabels };
    if (chart.x.kind === "rank") return { ...base, values: (_, splits) => splits.map((at) => (Number.isInteger(at) ? number(at) : "")) };
    const room = (plot) => Math.max(1, Math.ceil((chart.x.names.length * longest(chart.x.names)) / plot.bbox.width * devicePixelRatio));
    return {
      ...base,
      splits: () => chart.x.values,
      values: (plot, splits) => splits.map((at) => (at % room(plot) === 0 ? chart.x.names[at] : "")),
    };
  }

  const longest = (names) => 8 + 6.2 * Math.max(...names.map((name) => [...name].reduce((width, c) => width + (c > "ÿ" ? 2 : 1), 0)));

  function painted(axis) {
    return {
      font: "12px system-ui, sans-serif",
      labelFont: "600 12px system-ui, sans-serif",
      stroke: () => color("faint"),
      grid: { stroke: () => color("grid"), width: 1 },
      ticks: { stroke: () => color("line"), width: 1, size: 5 },
      labelGap: 4,
      labelSize: 22,
      ...axis,
    };
  }

  /** The series as they are drawn: stacked ones upon each other, the topmost first, so that each shows its own part. */
  function drawn(chart) {
    const levels = chart.series.map((series) => ({ ...series, top: series.values }));
    if (!chart.stacked) return levels;
    for (let i = 1; i < levels.length; i++) {
      levels[i].top = levels[i].values.map((value, point) => value + levels[i - 1].top[point]);
    }
    return levels.reverse();
  }

  /** A level for each bar, as wide as the bar's place. */
  function plateaus(plot, index, from, to) {
    const stroke = new Path2D();
    for (let i = from; i <= to; i++) {
      const y = plot.valToPos(plot.data[index][i], "y", true);
      stroke.lineTo(plot.valToPos(plot.data[0][i] - 0.5, "x", true), y);
      stroke.lineTo(plot.valToPos(plot.data[0][i] + 0.5, "x", true), y);
    }
    return { stroke, fill: null, clip: null, flags: 0 };
  }

  function seriesOptions(series, chart) {
    const common = { label: series.label, stroke: () => color(series.color), points: { show: false }, spanGaps: true };
    if (series.shape === "bar") {
      const crowded = chart.x.values.length > 150;
      return {
        ...common,
        width: 0,
        fill: () => color(series.color),
        paths: uPlot.paths.bars({ size: crowded ? [1] : [0.78, 64], radius: crowded || chart.stacked ? 0 : 0.12 }),
      };
    }
    const dash = series.dash ? [series.dash, series.dash] : undefined;
    if (series.shape === "step") return { ...common, width: 2, dash, paths: plateaus };
    // A line needs two points; few of them are shown as such.
    const isSparse = series.values.filter((value) => value !== null).length < 20;
    const points = { show: isSparse, size: 6, fill: common.stroke };
    return { ...common, width: 2, dash, points };
  }

  function pointName(chart, index) {
    if (chart.x.kind !== "rank") return chart.x.names[index];
    const row = tables[chart.table].rows[index];
    return `${fill(words.rank, { rank: number(index + 1) })}, ${row[1]} (${row[0]})`;
  }

  function readOut(chart, place, index) {
    if (index == null) {
      place.textContent = "";
      return;
    }
    const known = chart.series.filter((series) => series.values[index] != null);
    const figures = known.map((series) => `${series.label} ${number(series.values[index])}`);
    place.textContent = [pointName(chart, index), ...figures].join(" · ");
  }

  function margins(chart) {
    if (chart.x.kind !== "time") return (_, low, high) => [low - 0.5, high + 0.5];
    const step = chart.x.values.length > 1 ? chart.x.values[1] - chart.x.values[0] : 3600;
    return (_, low, high) => [low - step / 2, high + step / 2];
  }

  const isDecade = (at) => at > 0 && Math.abs(Math.log10(at) - Math.round(Math.log10(at))) < 1e-6;
  const decades = (_, splits) => splits.map((at) => (isDecade(at) ? at : null));
  // Things are counted in whole numbers.
  const steps = [...Array(9).keys()].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));

  function yAxis(chart) {
    const base = { label: chart.y_title, size: 52 };
    if (!chart.log) return { ...base, incrs: steps, values: (_, splits) => splits.map(number) };
    const grid = { stroke: () => color("grid"), width: 1, filter: decades };
    return { ...base, filter: decades, grid, ticks: { show: false }, values: (_, splits) => splits.map((at) => (at === null ? "" : number(at))) };
  }

  function plot(place) {
    const chart = charts[place.dataset.chart];
    const readout = place.closest("figure").querySelector(".readout");
    const levels = drawn(chart);
    const options = {
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { y: false, points: { show: chart.x.values.length <= 150 } },
      padding: [10, 26, 0, 0],
      scales: {
        x: { time: chart.x.kind === "time", range: margins(chart) },
        y: chart.log ? { distr: 3 } : { range: (_, low, high) => [0, Math.max(high * 1.08, 1)] },
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [
        painted({ ...xAxis(chart), grid: { show: false } }),
        painted(yAxis(chart)),
      ],
      series: [{}, ...levels.map((series) => seriesOptions(series, chart))],
      hooks: { setCursor: [(it) => readOut(chart, readout, it.cursor.idx)] },
    };
    const made = new uPlot(options, [chart.x.values, ...levels.map((series) => series.top)], place);
    new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
    return made;
  }

  // Tables

  const collator = new Intl.Collator(language, { numeric: true });
  const sortKey = (cell) => (Array.isArray(cell) ? (cell.length === 3 ? cell[0] / cell[1] : cell[0]) : cell);
  const shown = (cell) => (Array.isArray(cell) ? cell[1] : typeof cell === "number" ? number(cell) : (cell ?? "-"));

  function svgPart(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function stockBar([available, watermark, target]) {
    const full = Math.max(target, available, 1);
    const at = (items) => (100 * items) / full;
    const svg = svgPart("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img" });
    svg.setAttribute("aria-label", fill(words.stock, { available, watermark, target }));
    svg.append(
      svgPart("rect", { class: "track", width: 100, height: 10, rx: 2 }),
      svgPart("rect", { class: available < watermark ? "lacking" : "filled", width: at(available), height: 10, rx: 2 }),
      svgPart("line", { class: "mark", x1: at(watermark), x2: at(watermark), y1: 0, y2: 10, "vector-effect": "non-scaling-stroke" }),
    );
    return svg;
  }

  function cellElement(cell, kind) {
    const td = element("td", { className: kind });
    if (kind === "stock") td.append(stockBar(cell));
    else if (kind === "state") td.append(element("span", { className: `badge ${cell.toLowerCase()}`, textContent: states[cell] ?? cell }));
    else td.textContent = shown(cell);
    if (kind === "text") td.title = td.textContent;
    return td;
  }

  function compare(one, other, column, direction) {
    const [a, b] = [sortKey(one[column]), sortKey(other[column])];
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return direction * order;
  }

  function interactiveTable(place) {
    const { kinds, rows } = tables[place.dataset.table];
    const body = place.querySelector("tbody");
    const headings = [...place.querySelectorAll("thead th")];
    const texts = rows.map((row) => row.map((cell, i) => (kinds[i] === "state" ? (states[cell] ?? cell) : shown(cell))).join("\n").toLowerCase());
    let chosen = rows;
    let first = 0;

    const count = element("output");
    const search = element("input", { type: "search", placeholder: words.search });
    search.setAttribute("aria-label", `${words.search}: ${place.querySelector("h3").textContent}`);
    const back = element("button", { type: "button", textContent: "‹" });
    const forth = element("button", { type: "button", textContent: "›" });
    back.setAttribute("aria-label", words.previous);
    forth.setAttribute("aria-label", words.next);
    const where = element("span");

    let column = -1;
    let direction = 1;

    function show() {
      const page = chosen.slice(first, first + ROWS_AT_ONCE);
      body.replaceChildren(...page.map((row) => element("tr", {}, ...row.map((cell, i) => cellElement(cell, kinds[i])))));
      back.disabled = first === 0;
      forth.disabled = first + ROWS_AT_ONCE >= chosen.length;
      where.textContent = chosen.length ? fill(words.rows, { from: number(first + 1), to: number(first + page.length), number: number(chosen.length) }) : words.none;
    }

    function choose() {
      const wanted = search.value.trim().toLowerCase();
      const found = wanted ? rows.filter((_, i) => texts[i].includes(wanted)) : rows;
      chosen = column < 0 ? found : [...found].sort((a, b) => compare(a, b, column, direction));
      count.textContent = wanted ? fill(words.matches, { number: number(found.length), total: number(rows.length) }) : "";
      first = 0;
      show();
    }

    function sortBy(index) {
      direction = index === column ? -direction : 1;
      column = index;
      headings.forEach((heading, i) => heading.setAttribute("aria-sort", i !== column ? "none" : direction > 0 ? "ascending" : "descending"));
      choose();
    }

    headings.forEach((heading, index) => {
      const button = element("button", { type: "button", textContent: heading.textContent });
      button.addEventListener("click", () => sortBy(index));
      heading.replaceChildren(button);
    });
    search.addEventListener("input", choose);
    back.addEventListener("click", () => { first -= ROWS_AT_ONCE; show(); });
    forth.addEventListener("click", () => { first += ROWS_AT_ONCE; show(); });
    if (rows.length > 5) place.querySelector(".tools").append(search, count);
    if (rows.length > ROWS_AT_ONCE) place.querySelector(".pager").append(where, back, forth);
    show();
  }

  // Light and dark

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";

  document.getElementById("no-script").remove();
  document.documentElement.classList.add("scripted");
  const plots = [...document.querySelectorAll("[data-chart]")].map(plot);
  document.querySelectorAll("[data-table]").forEach(interactiveTable);

  const toggle = document.getElementById("theme");
  function repaint() {
    toggle.textContent = isDark() ? `☀ ${words.light}` : `☾ ${words.dark}`;
    plots.forEach((made) => made.redraw(false, true));
  }
  toggle.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
  prefersDark.addEventListener("change", repaint);
  toggle.hidden = false;
  repaint();
})();
