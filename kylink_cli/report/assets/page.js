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
    // Every bar has its name; where there is no room beside each other, they are turned, and where there is none for
    // lines of text either, as on a phone for the hours of a day, some are left out at even distances.
    const { names } = chart.x;
    const room = (plot) => plot.width - 104;
    const isTurned = (plot) => names.length * longest(names) > room(plot) && names.length * LINE <= room(plot);
    const every = (plot) => (isTurned(plot) ? 1 : Math.ceil((names.length * longest(names)) / room(plot)));
    return {
      ...base,
      space: 1,
      size: (plot) => (isTurned(plot) ? 26 + 0.77 * longest(names) : 28),
      rotate: (plot) => (isTurned(plot) ? 50 : 0),
      splits: () => chart.x.values,
      values: (plot, splits) => splits.map((at) => (at % every(plot) === 0 ? names[at] : "")),
    };
  }

  const LINE = 14;
  const longest = (names) => 5 + 6.2 * Math.max(...names.map((name) => [...name].reduce((width, c) => width + (c > "ÿ" ? 2 : 1), 0)));

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
      levels[i].top = levels[i].values.map((value, point) => (value === null ? null : value + levels[i - 1].top[point]));
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
    const common = { label: series.label, stroke: () => color(series.color), points: { show: false }, spanGaps: false };
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
    // A line needs two points: few of them, and those with nothing beside them, are shown as such.
    const { values } = series;
    const isSparse = values.filter((value) => value !== null).length < 20;
    const isAlone = (at) => values[at] !== null && values[at - 1] == null && values[at + 1] == null;
    const alone = [...values.keys()].filter((at) => (isSparse ? values[at] !== null : isAlone(at)));
    const points = { show: true, size: 6, fill: common.stroke, filter: () => alone };
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
  // Things are counted in whole numbers; shares and means are not.
  const isCounted = (chart) => chart.series.every((series) => series.values.every((value) => value === null || Number.isInteger(value)));
  const steps = [...Array(9).keys()].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));

  function yAxis(chart) {
    const base = { label: chart.y_title, size: 52 };
    const incrs = isCounted(chart) ? steps : [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, ...steps];
    if (!chart.log) return { ...base, incrs, values: (_, splits) => splits.map(number) };
    const grid = { stroke: () => color("grid"), width: 1, filter: decades };
    return { ...base, filter: decades, grid, ticks: { show: false }, values: (_, splits) => splits.map((at) => (at === null ? "" : number(at))) };
  }

  /** Stretches of time in which something was broken, behind what is drawn. */
  function drawBands(chart, it) {
    const { left, top, width, height } = it.bbox;
    it.ctx.save();
    for (const band of chart.bands) {
      const from = Math.max(left, it.valToPos(band.since, "x", true));
      const to = Math.min(left + width, it.valToPos(band.until, "x", true));
      it.ctx.globalAlpha = 0.28;
      it.ctx.fillStyle = color(band.color);
      if (to > from) it.ctx.fillRect(from, top, Math.max(to - from, 2), height);
    }
    it.ctx.restore();
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
        y: chart.log ? { distr: 3 } : { range: (_, low, high) => [0, Math.max(high * 1.08, isCounted(chart) ? 1 : 0.1)] },
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [
        painted({ ...xAxis(chart), grid: { show: false } }),
        painted(yAxis(chart)),
      ],
      series: [{}, ...levels.map((series) => seriesOptions(series, chart))],
      hooks: { drawClear: [(it) => drawBands(chart, it)], setCursor: [(it) => readOut(chart, readout, it.cursor.idx)] },
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

  function cellElement(cell, kind, heading) {
    const td = element("td", { className: kind });
    td.dataset.label = heading;
    if (kind === "stock") td.append(stockBar(cell));
    else if (kind === "state") td.append(element("span", { className: `badge ${cell.toLowerCase()}`, textContent: states[cell] ?? cell }));
    else td.textContent = shown(cell);
    if (kind === "text") td.title = td.textContent;
    if (cell === "" || cell === null) td.classList.add("blank");
    return td;
  }

  function compare(one, other, column, direction) {
    const [a, b] = [sortKey(one[column]), sortKey(other[column])];
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return direction * order;
  }

  // A sheet would take a text that begins so for a formula.
  const isFormula = (text) => /^[=+\-@\t]/.test(text);
  const csvCell = (cell) => {
    const value = Array.isArray(cell) ? (cell.length === 3 ? cell.join(" / ") : cell[1]) : (cell ?? "");
    const text = typeof value === "string" && isFormula(value) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  function saveCsv(name, headings, rows) {
    const lines = [headings, ...rows].map((row) => row.map(csvCell).join(","));
    const blob = new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" });
    const link = element("a", { href: URL.createObjectURL(blob), download: `${name}.csv` });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** A choice of one value of a column, or of all. */
  function filterOf(index, { headings, kinds, rows }) {
    const values = [...new Set(rows.map((row) => row[index]))].sort(collator.compare);
    const select = element("select", {}, element("option", { value: "", textContent: fill(words.all, { column: headings[index] }) }));
    select.setAttribute("aria-label", headings[index]);
    for (const value of values) {
      select.append(element("option", { value, textContent: kinds[index] === "state" ? (states[value] ?? value) : value }));
    }
    return { select, index, isOfUse: values.length > 1 };
  }

  function interactiveTable(place) {
    const table = tables[place.dataset.table];
    const { headings, kinds, rows } = table;
    const body = place.querySelector("tbody");
    const heads = [...place.querySelectorAll("thead th")];
    const texts = rows.map((row) => row.map((cell, i) => (kinds[i] === "state" ? (states[cell] ?? cell) : shown(cell))).join("\n").toLowerCase());
    let chosen = rows;
    let page = 0;
    let column = -1;
    let direction = 1;

    const count = element("output");
    const search = element("input", { type: "search", placeholder: words.search });
    search.setAttribute("aria-label", `${words.search}: ${place.querySelector("h3").textContent}`);
    const filters = table.filters.map((index) => filterOf(index, table)).filter((one) => one.isOfUse);
    const csv = element("button", { type: "button", textContent: words.csv });
    const turn = (text, label, to) => {
      const button = element("button", { type: "button", textContent: text });
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => { page = to(); show(); });
      return button;
    };
    const pages = () => Math.max(1, Math.ceil(chosen.length / ROWS_AT_ONCE));
    const backwards = [turn("«", words.first, () => 0), turn("‹", words.previous, () => page - 1)];
    const onwards = [turn("›", words.next, () => page + 1), turn("»", words.last, () => pages() - 1)];
    const goTo = element("select");
    goTo.setAttribute("aria-label", words.choose_page);
    const where = element("span");

    const rowElement = (row) => element("tr", {}, ...row.map((cell, i) => cellElement(cell, kinds[i], headings[i])));

    function show() {
      const first = page * ROWS_AT_ONCE;
      const shownRows = chosen.slice(first, first + ROWS_AT_ONCE);
      body.replaceChildren(...shownRows.map(rowElement));
      backwards.forEach((button) => { button.disabled = page === 0; });
      onwards.forEach((button) => { button.disabled = page >= pages() - 1; });
      goTo.value = page;
      where.textContent = chosen.length ? fill(words.rows, { from: number(first + 1), to: number(first + shownRows.length), number: number(chosen.length) }) : words.none;
    }

    function choose() {
      const wanted = search.value.trim().toLowerCase();
      const active = filters.filter(({ select }) => select.value !== "");
      const fits = (row, i) => texts[i].includes(wanted) && active.every(({ select, index }) => row[index] === select.value);
      const found = rows.filter(fits);
      chosen = column < 0 ? found : [...found].sort((a, b) => compare(a, b, column, direction));
      const isNarrowed = wanted || active.length > 0;
      count.textContent = isNarrowed ? fill(words.matches, { number: number(found.length), total: number(rows.length) }) : "";
      page = 0;
      goTo.replaceChildren(...Array.from({ length: pages() }, (_, at) => element("option", { value: at, textContent: fill(words.page, { page: number(at + 1), pages: number(pages()) }) })));
      show();
    }

    function sortBy(index) {
      direction = index === column ? -direction : 1;
      column = index;
      heads.forEach((heading, i) => heading.setAttribute("aria-sort", i !== column ? "none" : direction > 0 ? "ascending" : "descending"));
      choose();
    }

    heads.forEach((heading, index) => {
      const button = element("button", { type: "button", textContent: heading.textContent });
      button.addEventListener("click", () => sortBy(index));
      heading.replaceChildren(button);
    });
    search.addEventListener("input", choose);
    filters.forEach(({ select }) => select.addEventListener("change", choose));
    goTo.addEventListener("change", () => { page = Number(goTo.value); show(); });
    csv.addEventListener("click", () => saveCsv(place.dataset.table, headings, chosen));
    if (rows.length > 5) place.querySelector(".tools").append(search, ...filters.map(({ select }) => select), csv, count);
    if (rows.length > ROWS_AT_ONCE) place.querySelector(".pager").append(where, ...backwards, goTo, ...onwards);
    // Paper can't be turned over.
    addEventListener("beforeprint", () => body.replaceChildren(...chosen.map(rowElement)));
    addEventListener("afterprint", show);
    choose();
  }

  // Light and dark

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";

  document.getElementById("no-script")?.remove();
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

  // Paper is white; the style sheet makes the charts as wide as it is.
  const PAPER = 640;
  addEventListener("beforeprint", () => {
    toggle.dataset.before = document.documentElement.dataset.theme ?? "";
    document.documentElement.dataset.theme = "light";
    plots.forEach((made) => { made.setSize({ width: PAPER, height: 220 }); made.redraw(false, true); });
  });
  addEventListener("afterprint", () => {
    if (toggle.dataset.before) document.documentElement.dataset.theme = toggle.dataset.before;
    else delete document.documentElement.dataset.theme;
    plots.forEach((made) => made.setSize({ width: made.root.parentElement.clientWidth, height: made.root.parentElement.clientHeight }));
    repaint();
  });
  toggle.hidden = false;
  repaint();
})();
