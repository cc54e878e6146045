// Draws the charts and tables of the report from the JSON in the page. Charts are SVG in the page's own colours, so that they
// follow light and dark and print sharply.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { contenders, benchmarks, rows, ours } = data;
  const order = Object.keys(contenders);

  // A hue per peer, wasirun's own among them; modes of a peer differ in strength.
  const peers = [...new Set(order.map((name) => contenders[name].peer))].filter((peer) => peer !== "wasirun" && peer !== "native");
  const isOurs = (name) => contenders[name]?.peer === "wasirun";
  const color = (name) => {
    const peer = contenders[name]?.peer ?? name;
    if (peer === "wasirun") return "var(--ours)";
    if (peer === "native") return "var(--c-native)";
    return `var(--c-${Math.min(peers.indexOf(peer), 9)})`;
  };
  const strength = (name) => {
    const modes = order.filter((other) => contenders[other].peer === contenders[name]?.peer);
    return [1, 0.68, 0.45][Math.min(modes.indexOf(name), 2)] ?? 1;
  };
  const dashes = (name) => {
    const modes = order.filter((other) => contenders[other].peer === contenders[name]?.peer);
    return ["none", "6 3", "2 3"][Math.min(Math.max(modes.indexOf(name), 0), 2)];
  };

  const digits = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 100) return Math.round(value).toLocaleString("en");
    return value.toFixed(size < 0.1 ? 3 : size < 10 ? 2 : 1);
  };
  const scales = {
    ns: [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [0, "ns"]],
    KiB: [[1024, "MiB"], [0, "KiB"]],
    B: [[2 ** 20, "MiB"], [1024, "KiB"], [0, "B"]],
  };
  const quantity = (value, unit) => {
    for (const [least, name] of scales[unit] ?? [[0, unit]])
      if (value >= least) return `${digits(least ? value / least : value)} ${name}`;
    return digits(value);
  };
  const tickText = (value, unit) => {
    for (const [least, name] of scales[unit] ?? [[0, unit]])
      if (value >= least) return `${+(least ? value / least : value).toPrecision(3)} ${name}`;
    return `${value}`;
  };

  const element = (parent, tag, attributes = {}, text) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const figure = (parent, title, detail, isWide) => {
    const made = element(parent, "figure", isWide ? { class: "wide" } : {});
    const caption = element(made, "figcaption", {}, title);
    if (detail) element(caption, "small", {}, detail);
    return made;
  };
  const rowsOf = (measure, metric, benchmark) => rows.filter((row) => row.measure === measure && row.metric === metric &&
    (benchmark === undefined || row.benchmark === benchmark));

  // Horizontal bars with whiskers, one per contender; `base`: whose figure the others are multiples of.
  const bars = (parent, items, { unit, base, isLog = false, width = 420 }) => {
    const left = 16 + 6.3 * d3.max(items, (item) => item.contender.length), right = 112, step = 17, top = 4;
    const height = top + items.length * step + (isLog ? 22 : 4);
    const svg = d3.select(parent).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "img");
    // One or two that are far beyond the others would leave these nothing to be told apart by: their bars are cut.
    const medians = items.map((item) => item.median).sort(d3.descending);
    const isCut = !isLog && medians.length > 4 && medians[0] > 2 * medians[2];
    const high = isCut ? d3.max(items.filter((item) => item.median <= medians[2]), (item) => item.high) * 1.35 : d3.max(items, (item) => item.high);
    const x = isLog
      ? d3.scaleLog().domain([Math.min(1, d3.min(items, (item) => item.low)) * 0.9, high * 1.05]).range([left, width - right])
      : d3.scaleLinear().domain([0, high]).range([left, width - right]).clamp(true);
    const reference = items.find((item) => item.contender === base);
    items.forEach((item, place) => {
      const y = top + place * step;
      const group = svg.append("g");
      group.append("title").text(`${contenders[item.contender]?.title ?? item.contender}: ${item.text ?? quantity(item.median, unit)} ` +
        `(${unit ? quantity(item.low, unit) : digits(item.low)} to ${unit ? quantity(item.high, unit) : digits(item.high)})`);
      group.append("text").attr("x", left - 6).attr("y", y + 12).attr("text-anchor", "end").attr("class", isOurs(item.contender) ? "o" : "")
        .text(item.contender);
      // A bar needs a zero to begin at, which a logarithmic axis does not have.
      const mark = isLog
        ? group.append("circle").attr("cx", x(item.median)).attr("cy", y + step / 2).attr("r", 4.5)
        : group.append("rect").attr("x", x.range()[0]).attr("y", y + 3).attr("height", step - 6).attr("rx", 1.5)
          .attr("width", Math.max(1, x(item.median) - x.range()[0]));
      mark.style("fill", color(item.contender)).style("opacity", isLog ? 1 : strength(item.contender));
      const isBeyond = isCut && item.median > high;
      if (isBeyond) {
        const end = x.range()[1] - 12;
        group.append("path").attr("d", `M${end},${y + step - 2}l5,${4 - step}h4l-5,${step - 4}z`).style("fill", "var(--card)");
      } else if (x(item.high) - x(item.low) > 1.5) {
        group.append("path").attr("class", "w").attr("d",
          `M${x(item.low)},${y + step / 2}H${x(item.high)}M${x(item.low)},${y + 5}v${step - 10}M${x(item.high)},${y + 5}v${step - 10}`);
      }
      const label = group.append("text").attr("x", Math.max(x(item.median), x(item.high)) + 6).attr("y", y + 12);
      label.append("tspan").text(item.text ?? quantity(item.median, unit));
      if (reference && item !== reference && !item.text)
        label.append("tspan").attr("dx", 5).style("fill", "var(--quiet)").text(`${digits(item.median / reference.median)}×`);
    });
    if (isLog) {
      const ticks = x.ticks().filter((tick) => [1, 2, 5].includes(+tick.toExponential()[0]));
      svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - 20})`)
        .call(d3.axisBottom(x).tickValues(ticks).tickFormat((tick) => `${+tick.toPrecision(2)}×`).tickSize(4));
      if (x.domain()[0] <= 1)
        svg.append("path").attr("class", "w").attr("d", `M${x(1)},${top}V${height - 20}`).style("stroke", "var(--quiet)").style("stroke-dasharray", "2 3");
    }
  };

  // Curves on logarithmic axes, one per contender, each with its name at its end.
  const curves = (parent, lines, { xTitle, yUnit, yText, xText, width = 1240, height = 430 }) => {
    const margin = { left: 66, right: 190, top: 12, bottom: 40 };
    const points = lines.flatMap((line) => line.points);
    const svg = d3.select(parent).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "img");
    const x = d3.scaleLog().domain(d3.extent(points, (point) => point.x)).range([margin.left, width - margin.right]);
    const y = d3.scaleLog().domain([d3.min(points, (point) => point.y) * 0.8, d3.max(points, (point) => point.y) * 1.25])
      .range([height - margin.bottom, margin.top]).clamp(true);
    const decades = (scale) => scale.ticks().filter((tick) => /^1e/.test(tick.toExponential()));
    const few = (scale) => {
      const found = decades(scale);
      return found.length > 2 ? found : scale.ticks().filter((tick) => [1, 2, 5].includes(+tick.toExponential()[0]));
    };
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - margin.bottom})`)
      .call(d3.axisBottom(x).tickValues(few(x)).tickFormat(xText).tickSize(-(height - margin.top - margin.bottom)).tickPadding(8));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${margin.left},0)`)
      .call(d3.axisLeft(y).tickValues(few(y)).tickFormat(yText ?? ((tick) => tickText(tick, yUnit)))
        .tickSize(-(width - margin.left - margin.right)).tickPadding(8));
    svg.append("text").attr("class", "q").attr("x", margin.left).attr("y", height - 4).text(xTitle);
    const path = d3.line().x((point) => x(point.x)).y((point) => y(point.y));
    const ordered = [...lines].sort((a, b) => isOurs(a.contender) - isOurs(b.contender));
    for (const line of ordered) {
      svg.append("path").attr("class", isOurs(line.contender) ? "curve o" : "curve").attr("d", path(line.points))
        .style("stroke", color(line.contender)).style("stroke-dasharray", dashes(line.contender));
      const marks = svg.append("g").style("fill", color(line.contender)).style("stroke", color(line.contender));
      for (const point of line.points) {
        marks.append("circle").attr("cx", x(point.x)).attr("cy", y(point.y)).attr("r", isOurs(line.contender) ? 3.5 : 2.4)
          .append("title").text(`${contenders[line.contender]?.title}: ${yText ? yText(point.y) : quantity(point.y, yUnit)}`);
        if (point.low !== undefined && y(point.low) - y(point.high) > 3)
          marks.append("path").attr("d", `M${x(point.x)},${y(point.low)}V${y(point.high)}`);
      }
    }
    // Names at the ends, moved apart, each with a line to its curve.
    const ends = lines.map((line) => {
      const last = line.points[line.points.length - 1];
      return { contender: line.contender, x: x(last.x), y: y(last.y), place: y(last.y) };
    }).sort((a, b) => a.y - b.y);
    const gap = 14;
    ends.forEach((end, i) => { if (i > 0) end.place = Math.max(end.place, ends[i - 1].place + gap); });
    const overflow = ends.length ? ends[ends.length - 1].place - (height - margin.bottom) : 0;
    if (overflow > 0) {
      ends[ends.length - 1].place -= overflow;
      for (let i = ends.length - 2; i >= 0; --i) ends[i].place = Math.min(ends[i].place, ends[i + 1].place - gap);
    }
    for (const end of ends) {
      svg.append("path").attr("class", "lead")
        .attr("d", `M${end.x + 5},${end.y}L${width - margin.right + 8},${end.place}H${width - margin.right + 14}`)
        .style("stroke", color(end.contender)).style("opacity", 0.5);
      svg.append("text").attr("x", width - margin.right + 18).attr("y", end.place + 4).attr("class", isOurs(end.contender) ? "o" : "")
        .style("fill", color(end.contender)).text(end.contender);
    }
  };

  // Tables: benchmarks down, contenders across. A click on a head sorts.
  const makeSortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.addEventListener("click", () => {
      const isDown = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        if (!cell) return [1, 0];
        if (cell.dataset.value === "" || (head.classList.contains("n") && cell.dataset.value === undefined)) return [1, 0];
        return [0, cell.dataset.value !== undefined ? +cell.dataset.value : cell.textContent.trim().toLowerCase()];
      };
      const body = table.tBodies[0];
      const sorted = [...body.rows].sort((a, b) => {
        const [p, q] = [key(a), key(b)];
        if (p[0] !== q[0]) return p[0] - q[0];
        return (p[1] < q[1] ? -1 : p[1] > q[1] ? 1 : 0) * (isDown ? -1 : 1);
      });
      body.append(...sorted);
    }));
  };
  const table = (parent, found, { title = "benchmark", cell } = {}) => {
    const names = [...new Set(found.map((row) => row.benchmark))];
    const columns = order.filter((name) => found.some((row) => row.contender === name));
    const unknown = [...new Set(found.map((row) => row.contender))].filter((name) => !columns.includes(name));
    const all = [...unknown, ...columns];
    const box = element(parent, "div", { class: "scroll" });
    const made = element(box, "table", { class: "sortable" });
    const head = element(element(made, "thead"), "tr");
    element(head, "th", {}, title);
    for (const name of all) element(head, "th", { class: "n" }, name);
    const body = element(made, "tbody");
    for (const name of names) {
      const line = element(body, "tr");
      const about = benchmarks[`${found[0].measure}/${name}`] ?? {};
      element(line, "td", { title: about.about ?? "" }, about.title ?? name);
      const here = new Map(found.filter((row) => row.benchmark === name).map((row) => [row.contender, row]));
      const least = d3.min([...here.values()].filter((row) => contenders[row.contender]?.kind !== "native"), (row) => row.median);
      for (const contender of all) {
        const row = here.get(contender);
        if (!row) {
          element(line, "td", { class: "n", "data-value": "" }, "–");
          continue;
        }
        const kind = (isOurs(contender) ? " ours" : "") + (row.median === least ? " least" : "");
        const made = element(line, "td", { class: `n${kind}`, "data-value": row.median }, cell ? cell(row, about) : quantity(row.median, row.unit));
        const spread = row.median ? (row.high - row.low) / row.median : 0;
        made.title = `${quantity(row.low, row.unit)} to ${quantity(row.high, row.unit)}, ${row.count} rounds`;
        if (spread >= 0.1) element(made, "small", {}, ` ±${Math.round(50 * spread)}%`);
      }
    }
    makeSortable(made);
  };

  const grouped = (measure, metric = "time") => {
    const groups = new Map();
    for (const row of rowsOf(measure, metric)) {
      const about = benchmarks[`${measure}/${row.benchmark}`] ?? {};
      const group = about.group ?? "";
      if (!groups.has(group)) groups.set(group, new Map());
      const inGroup = groups.get(group);
      if (!inGroup.has(row.benchmark)) inGroup.set(row.benchmark, []);
      inGroup.get(row.benchmark).push(row);
    }
    return groups;
  };
  const cards = (parent, measure, group, base, isGrouped = false) => {
    const grid = element(parent, "div", { class: "grid" });
    for (const [name, found] of group) {
      const about = benchmarks[`${measure}/${name}`] ?? {};
      bars(figure(grid, about.title ?? name, isGrouped ? [about.group, about.about].filter(Boolean).join(" · ") : about.about), found,
        { unit: found[0].unit, base: found.some((row) => row.contender === "native") ? "native" : base });
    }
  };
  const heading = (parent, text) => element(parent, "h3", {}, text);

  const lines = (measure, metric, group, x, y) => order.map((contender) => ({
    contender,
    points: rowsOf(measure, metric).filter((row) => row.contender === contender && benchmarks[`${measure}/${row.benchmark}`]?.group === group)
      .map((row) => {
        const about = benchmarks[`${measure}/${row.benchmark}`];
        const [low, high] = [y(row.low, about), y(row.high, about)].sort((a, b) => a - b);
        return { x: x(about), y: y(row.median, about), low, high };
      }).sort((a, b) => a.x - b.x),
  })).filter((line) => line.points.length > 1);

  const bytes = (value) => (value >= 1e6 ? `${+(value / 1e6).toPrecision(3)} MB` : `${+(value / 1e3).toPrecision(3)} kB`);
  const rate = (value) => `${+value.toPrecision(3)} MB/s`;
  const drawers = {
    peak(parent) {
      heading(parent, "All of them");
      table(parent, rowsOf("peak", "time"));
      const titles = { sightglass: "Sightglass", libsodium: "libsodium's own tests", coremark: "CoreMark" };
      const groups = grouped("peak");
      const kernels = [...groups].filter(([group]) => !(group in titles)).sort((a, b) => (a[0] < b[0] ? -1 : 1));
      heading(parent, "Kernels");
      cards(parent, "peak", new Map(kernels.flatMap(([, found]) => [...found])), ours, true);
      for (const [group, title] of Object.entries(titles)) {
        if (!groups.has(group)) continue;
        heading(parent, title);
        cards(parent, "peak", groups.get(group), ours);
      }
    },
    compile(parent) {
      const found = lines("compile", "time", "functions", (about) => about.code_bytes, (value, about) => about.code_bytes / value * 1e3);
      if (found.length)
        curves(figure(parent, "MB of bytecode a second, over the size of the code", "generated modules, logarithmic axes", true), found,
          { xTitle: "size of the code section", xText: bytes, yText: rate });
      if (data.growth.length) {
        heading(parent, "Growth: time = c · sizeᵉ, from 100 kB on; 1 is linear");
        const box = element(parent, "div", { class: "scroll" });
        const made = element(box, "table", { class: "sortable" });
        made.innerHTML = "<thead><tr><th>contender</th><th class=n>exponent</th><th class=n>largest module</th></tr></thead>";
        const body = element(made, "tbody");
        for (const one of data.growth) {
          const line = element(body, "tr", isOurs(one.contender) ? { class: "ours" } : {});
          element(line, "td", {}, one.contender);
          element(line, "td", { class: "n", "data-value": one.exponent }, one.exponent.toFixed(3));
          element(line, "td", { class: "n", "data-value": one.largest }, bytes(one.largest));
        }
        makeSortable(made);
      }
      heading(parent, "MB of bytecode a second");
      table(parent, rowsOf("compile", "time"), { title: "module", cell: (row, about) => digits(about.code_bytes / row.median * 1e3) });
      heading(parent, "Time");
      table(parent, rowsOf("compile", "time"), { title: "module" });
      heading(parent, "Most memory of the process");
      table(parent, rowsOf("compile", "memory"), { title: "module" });
    },
    start(parent) {
      const groups = grouped("start");
      const titles = { process: "Hello world as a process", first: "Big modules until the first instruction" };
      for (const [key, title] of Object.entries(titles)) {
        if (!groups.has(key)) continue;
        heading(parent, title);
        cards(parent, "start", groups.get(key), ours);
      }
      const found = lines("start", "time", "instances", (about) => about.count, (value) => value);
      if (found.length) {
        curves(figure(parent, "Time of one instantiation, over how many instances are alive", "logarithmic axes", true), found,
          { xTitle: "instances in the process", xText: (tick) => tick.toLocaleString("en"), yUnit: "ns" });
        heading(parent, "Instantiation");
        table(parent, rowsOf("start", "time").filter((row) => benchmarks[`start/${row.benchmark}`]?.group === "instances"));
      }
      const idle = rowsOf("start", "bytes");
      if (idle.length) {
        heading(parent, "Memory per idle instance");
        table(parent, idle);
      }
      heading(parent, "Most memory of the process");
      table(parent, rowsOf("start", "memory"));
    },
    tiering(parent) {
      for (const group of grouped("tiering").keys()) {
        const found = lines("tiering", "time", group, (about) => about.length, (value) => value);
        if (found.length)
          curves(figure(parent, `Time to finish of ${group}, over its length`, "whole processes, logarithmic axes", true), found,
            { xTitle: "repetitions", xText: (tick) => tick.toLocaleString("en"), yUnit: "ns", height: 520 });
      }
      table(parent, rowsOf("tiering", "time"), { title: "length" });
    },
    plain(parent, measure) {
      table(parent, rowsOf(measure, "time"));
      cards(parent, measure, new Map([...grouped(measure).values()].flatMap((found) => [...found])), ours);
      for (const [metric, title] of [["memory", "Most memory of the process"], ["bytes", "Memory per instance"]]) {
        const found = rowsOf(measure, metric);
        if (!found.length) continue;
        heading(parent, title);
        table(parent, found);
      }
    },
  };

  for (const section of document.querySelectorAll(".measure")) {
    const measure = section.dataset.measure;
    (drawers[measure] ?? drawers.plain)(section.querySelector(".charts"), measure);
  }
  const place = document.getElementById("chart-native");
  if (place && data.toNative.length) {
    bars(place, [...data.toNative].sort((a, b) => a.mean - b.mean).map((one) => ({ ...one, median: one.mean, text: `${digits(one.mean)}×` })),
      { isLog: true, width: 900 });
  } else if (place) {
    place.closest("figure").remove();
  }
  for (const swatch of document.querySelectorAll(".swatch")) {
    swatch.style.background = color(swatch.dataset.contender);
    swatch.style.opacity = strength(swatch.dataset.contender);
  }
  for (const made of document.querySelectorAll("#headline table")) makeSortable(made);
})();
