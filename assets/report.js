/**
 * The script of report pages: draws the charts that the page's JSON describes (chart-data.ts) with
 * uPlot, which stands before it. No chart has anything that its table does not.
 */
(() => {
  const HEIGHT = 260;
  const HEIGHT_NARROW = 220;
  /** From this width on curves have their names at their ends, below it there is a legend. */
  const LABELS_FROM = 520;
  const LABEL_LINE = 15;
  const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
  const DASHES = [[], [6, 4], [2, 3]];

  const charts = JSON.parse(document.getElementById('charts').textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const significant = (value) =>
    value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  const count = (value) =>
    value >= 1e6
      ? `${significant(value / 1e6)}M`
      : value >= 1e3
        ? `${significant(value / 1e3)}k`
        : value >= 100
          ? value.toFixed(0)
          : significant(value);
  const duration = (ns) =>
    ns >= 1e9
      ? `${significant(ns / 1e9)} s`
      : ns >= 1e6
        ? `${significant(ns / 1e6)} ms`
        : ns >= 1e3
          ? `${significant(ns / 1e3)} µs`
          : `${ns.toFixed(0)} ns`;
  const round = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
  const percentile = (nines) => {
    const digits = Math.max(0, Math.round(nines) - 2);
    const percent = 100 * (1 - 10 ** -nines);
    return `${round(percent.toFixed(Math.max(digits, nines % 1 < 0.01 ? 0 : 2)))} %`;
  };
  const FORMATS = {
    count,
    bytes: (value) => significant(value / 1e6),
    time: duration,
    percent: (value) => `${round(significant(value))} %`,
  };
  const UNITS = { count: ' IOPS', bytes: ' MB/s', time: '', percent: '' };
  const X_FORMATS = {
    throughput: (value) => `${value.toFixed(1)} s`,
    latency: (value) => `${value.toFixed(1)} s`,
    percentiles: percentile,
    histogram: duration,
  };

  /** Lines at 1, 2 and 5 and their tens: the others of a logarithmic axis are too many. */
  const sparse = (_, splits) =>
    splits.map((value) => (/^[125]/.test(value.toExponential(3)) ? value : null));

  /** Texts of an axis, without those that would lie on the one before. */
  function spaced(plot, splits, format) {
    let free = Number.NEGATIVE_INFINITY;
    return splits.map((value) => {
      const text = format(value);
      const half = (text.length * 7) / 2;
      const middle = plot.valToPos(value, 'x');
      if (middle - half < free) return '';
      free = middle + half + 6;
      return text;
    });
  }

  function axesOf(kind, unit) {
    const shared = {
      font: FONT,
      stroke: colour('--dim'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1, size: 4 },
    };
    const format = (text) => (_, splits) =>
      splits.map((value) => (value === null ? '' : round(text(value))));
    const x = { ...shared, size: 32, space: 60 };
    if (kind === 'percentiles') {
      x.splits = (_, __, from, to) =>
        [Math.log10(2), 1, 2, 3, 4, 5, 6, 7].filter((value) => value >= from && value <= to);
      x.values = (plot, splits) => spaced(plot, splits, percentile);
    } else if (kind === 'histogram') x.values = format(duration);
    else x.values = format((value) => `${Number(value.toFixed(3))} s`);
    const y = { ...shared, size: 62, space: 34, values: format(FORMATS[unit]) };
    const logarithmic = { histogram: x, latency: y, percentiles: y }[kind];
    if (logarithmic !== undefined) logarithmic.grid = { ...shared.grid, filter: sparse };
    if (logarithmic !== undefined) logarithmic.ticks = { ...shared.ticks, filter: sparse };
    return [x, y];
  }

  function scalesOf(kind) {
    const fromZero = (_, __, most) => [0, most > 0 ? most * 1.08 : 1];
    const isLog = kind === 'latency' || kind === 'percentiles';
    return {
      x: { time: false, ...(kind === 'histogram' ? { distr: 3 } : {}) },
      y: isLog ? { distr: 3, range: logRange } : { range: fromZero },
    };
  }

  /** Whole steps of 1, 2 and 5 around what there is. */
  function logRange(_, least, most) {
    const down = (value) => {
      const ten = 10 ** Math.floor(Math.log10(value));
      return value >= 5 * ten ? 5 * ten : value >= 2 * ten ? 2 * ten : ten;
    };
    const up = (value) => {
      const ten = 10 ** Math.floor(Math.log10(value));
      return value <= 2 * ten ? 2 * ten : value <= 5 * ten ? 5 * ten : 10 * ten;
    };
    if (!(least > 0)) return [1, 10];
    return [down(least * 0.95), up(most * 1.05)];
  }

  function seriesOf(kind, { curves }) {
    return curves.map((curve) => {
      const stroke = colour(`--c${curve.colour}`);
      const isHistogram = kind === 'histogram';
      return {
        label: curve.label,
        stroke,
        width: curve.dash === 0 ? 2 : 1.5,
        dash: DASHES[curve.dash],
        points: { show: curve.x.length < 3 },
        spanGaps: false,
        ...(isHistogram ? { paths: uPlot.paths.stepped({ align: 1 }), fill: `${stroke}26` } : {}),
      };
    });
  }

  /** Names of curves at their ends, moved apart where they would lie on each other. */
  function drawLabels(plot, curves) {
    const ratio = devicePixelRatio;
    const { ctx, bbox } = plot;
    const labels = curves.map((curve, at) => {
      const values = plot.data[at + 1];
      let last = values.length - 1;
      while (last > 0 && values[last] == null) last -= 1;
      return { curve, y: plot.valToPos(values[last] ?? 0, 'y', true) };
    });
    labels.sort((one, two) => one.y - two.y);
    const step = LABEL_LINE * ratio;
    for (let at = 1; at < labels.length; at++) {
      labels[at].y = Math.max(labels[at].y, labels[at - 1].y + step);
    }
    let lowest = bbox.top + bbox.height;
    for (const label of labels.reverse()) {
      label.y = Math.min(label.y, lowest);
      lowest = label.y - step;
    }
    ctx.save();
    ctx.font = FONT.replace('12px', `${12 * ratio}px`);
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'left';
    for (const { curve, y } of labels) {
      ctx.fillStyle = colour(`--c${curve.colour}`);
      ctx.fillText(curve.label, bbox.left + bbox.width + 8 * ratio, y);
    }
    ctx.restore();
  }

  function labelWidth(curves) {
    const context = document.createElement('canvas').getContext('2d');
    context.font = FONT;
    return Math.ceil(Math.max(...curves.map(({ label }) => context.measureText(label).width))) + 16;
  }

  const element = (name, attributes = {}, text = '') => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  function legendOf({ curves }) {
    const list = element('ul', { class: 'legend' });
    for (const { label, colour: number, dash } of curves) {
      const item = element('li');
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      svg.setAttribute('width', '22');
      svg.setAttribute('height', '6');
      const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      const place = { x1: 0, x2: 22, y1: 3, y2: 3, 'stroke-width': 2.5, class: `stroke${number}` };
      for (const [key, value] of Object.entries(place)) line.setAttribute(key, value);
      if (dash > 0) line.setAttribute('stroke-dasharray', DASHES[dash].join(' '));
      svg.append(line);
      item.append(svg, label);
      list.append(item);
    }
    return list;
  }

  function viewButtons(chart, place, shown) {
    const group = element('div', { class: 'views', role: 'group', 'aria-label': 'Unit' });
    chart.views.forEach(({ name }, at) => {
      const button = element('button', { type: 'button', 'aria-pressed': `${at === shown}` }, name);
      button.addEventListener('click', () => {
        draw(chart, place, at);
        place.querySelectorAll('.views button')[at].focus();
      });
      group.append(button);
    });
    return group;
  }

  /** Draws a chart into its place, instead of what is there. */
  function draw(chart, place, shown) {
    const view = chart.views[shown];
    place.plot?.destroy();
    place.replaceChildren();
    place.shown = shown;
    place.hidden = false;
    const width = Math.floor(place.clientWidth);
    const isLabelled = width >= LABELS_FROM && chart.kind !== 'histogram';
    if (chart.views.length > 1) place.append(viewButtons(chart, place, shown));
    if (!isLabelled) place.append(legendOf(view));
    const readout = element('output', { class: 'readout', 'aria-live': 'off' });
    const tell = (plot) => {
      const { idx } = plot.cursor;
      if (idx == null) {
        readout.textContent = '';
        return;
      }
      const parts = view.curves.flatMap(({ label }, at) => {
        const value = plot.data[at + 1][idx];
        return value == null ? [] : [`${label} ${FORMATS[view.unit](value)}${UNITS[view.unit]}`];
      });
      readout.textContent = `${X_FORMATS[chart.kind](plot.data[0][idx])}: ${parts.join(' · ')}`;
    };
    const options = {
      width,
      height: width < LABELS_FROM ? HEIGHT_NARROW : HEIGHT,
      padding: [10, isLabelled ? labelWidth(view.curves) : 24, 0, 0],
      legend: { show: false },
      cursor: { y: false },
      scales: scalesOf(chart.kind),
      axes: axesOf(chart.kind, view.unit),
      series: [{}, ...seriesOf(chart.kind, view)],
      hooks: {
        setCursor: [tell],
        draw: isLabelled ? [(plot) => drawLabels(plot, view.curves)] : [],
      },
    };
    // 2: a gap reaches from the value before it to the value after it.
    const columns = uPlot.join(
      view.curves.map(({ x, y }) => [x, y]),
      view.curves.map(() => [0, 2]),
    );
    place.plot = new uPlot(options, columns, place);
    place.append(readout);
  }

  const places = charts.flatMap((section, number) =>
    section.map((chart, at) => ({
      chart,
      place: document.getElementById(`chart-${number}-${at}`),
    })),
  );
  const drawAll = () => {
    for (const { chart, place } of places) draw(chart, place, place.shown ?? 0);
  };
  const setDetails = (isOpen) => {
    for (const each of document.querySelectorAll('details')) each.open = isOpen;
  };

  setDetails(false);
  drawAll();
  let width = document.documentElement.clientWidth;
  new ResizeObserver(() => {
    const now = document.documentElement.clientWidth;
    if (now === width) return;
    width = now;
    drawAll();
  }).observe(document.documentElement);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  addEventListener('beforeprint', () => setDetails(true));
  addEventListener('afterprint', () => setDetails(false));
})();
