// Draws the chart of each table that stands for one. The table stays, for who wants the figures.

import { AriaComponent, BarChart, CanvasRenderer, GridComponent, LegendComponent, LineChart, TooltipComponent, init, use } from "./vendor/echarts.js";

use([AriaComponent, BarChart, CanvasRenderer, GridComponent, LegendComponent, LineChart, TooltipComponent]);

const drawn = new Map();

// Columns are series: a head with data-series says how each is drawn, a cell's data-value how much.
function figuresOf(table) {
  const heads = [...table.querySelectorAll("thead th[data-series]")];
  const rows = [...table.querySelectorAll("tbody tr")];
  return {
    labels: rows.map((row) => row.querySelector("th").textContent.trim()),
    series: heads.map((head) => ({
      name: head.textContent.trim(),
      type: head.dataset.series,
      color: head.dataset.color,
      data: rows.map((row) => {
        const cell = row.children[head.cellIndex];
        return { value: Number(cell.dataset.value), words: cell.textContent.trim() };
      }),
    })),
  };
}

function optionsFor(table, place) {
  const style = getComputedStyle(place);
  const color = (name) => style.getPropertyValue(`--color-${name}`).trim();
  const { labels, series } = figuresOf(table);
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    aria: { enabled: true, decal: { show: true }, label: { description: table.caption.textContent.trim() } },
    textStyle: { fontFamily: style.fontFamily },
    color: series.map((one) => color(one.color)),
    // On a phone the legend needs two lines.
    grid: { left: 8, right: 8, top: 64, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: color("base-content") } },
    // Drawn, not written as HTML: that would need a style that the bank's policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", formatter: (points) => [points[0].axisValue, ...points.map((point) => `${point.seriesName}: ${point.data.words}`)].join("\n") },
    xAxis: { type: "category", data: labels, axisLabel: { color: color("quiet") }, axisTick: { show: false } },
    yAxis: { type: "value", axisLabel: { color: color("quiet") }, splitLine: { lineStyle: { color: color("base-300") } } },
    series: series.map((one) => ({ name: one.name, type: one.type, data: one.data, barMaxWidth: 28, lineStyle: { width: 3 }, symbolSize: 9 })),
  };
}

function draw(place) {
  const figure = place.closest("figure");
  const table = figure.querySelector("table");
  if (!table.querySelector("[data-value]")) return;
  place.hidden = false;
  const chart = drawn.get(place) ?? init(place, null, { renderer: "canvas" });
  drawn.set(place, chart);
  chart.setOption(optionsFor(table, place), true);
}

function drawAll() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    if (!drawn.has(place)) place.closest("figure").querySelector("details").open = false;
    draw(place);
  }
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
