// Draws the charts, sorts the tables, switches the theme. Everything it needs is in this page.
const charts = JSON.parse(document.getElementById("charts").textContent);
const themes = JSON.parse(document.getElementById("themes").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = dark.matches ? "dark" : "light";

// The cells of a matrix are squares as large as there is room for; too many of them are scrolled.
const SMALLEST_CELL = 4, CELL_OF_A_NUMBER = 38, FONT_WIDTH = 6.5, MANY = 60;
function fit(chart, container) {
  const side = chart.usermeta.side;
  if (!side) return [chart, themes[theme]];
  container.classList.toggle("wide", side > MANY);
  const labelLimit = Math.min(180, 0.3 * container.clientWidth);
  const longest = Math.max(...chart.layer[0].encoding.y.scale.domain.map((name) => name.length));
  const room = container.clientWidth - Math.min(labelLimit, FONT_WIDTH * longest) - 50;
  const step = Math.max(SMALLEST_CELL, Math.min(chart.width.step, Math.floor(room / side)));
  const layer = chart.layer.filter(({ mark }) => mark.type !== "text" || step >= CELL_OF_A_NUMBER);
  const config = { ...themes[theme], axis: { ...themes[theme].axis, labelLimit } };
  return [{ ...chart, layer, width: { step }, height: { step } }, config];
}

async function draw(container) {
  if (container.closest("figure").hidden) return;
  const [chart, config] = fit(charts[container.dataset.chart], container);
  await vegaEmbed(container, chart, {
    config, renderer: "svg", tooltip: { theme }, actions: false,
  });
}

function drawAll() {
  return Promise.all([...document.querySelectorAll(".chart")].map(draw));
}

async function show(next) {
  theme = next;
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = theme === "dark" ? "Light" : "Dark";
  await drawAll();
  document.documentElement.dataset.drawn = theme;
}

function sortBy(header) {
  const table = header.closest("table");
  const column = header.cellIndex;
  const descending = header.ariaSort === "ascending" ||
    (header.ariaSort !== "descending" && header.classList.contains("number"));
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.order;
  const compare = (a, b) => {
    const numbers = [Number(key(a)), Number(key(b))];
    return numbers.some(Number.isNaN) ? key(a).localeCompare(key(b)) : numbers[0] - numbers[1];
  };
  const rows = [...table.tBodies[0].rows].sort(compare);
  table.tBodies[0].append(...(descending ? rows.reverse() : rows));
}

for (const header of document.querySelectorAll("th")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
for (const select of document.querySelectorAll("select[data-figures]")) {
  select.addEventListener("change", () => {
    for (const figure of document.querySelectorAll(`figure[data-group="${select.dataset.figures}"]`)) {
      const container = figure.querySelector(".chart");
      figure.hidden = container.dataset.chart !== select.value;
      draw(container);
    }
  });
}
document.getElementById("theme").addEventListener("click", () => show(theme === "dark" ? "light" : "dark"));
dark.addEventListener("change", (event) => show(event.matches ? "dark" : "light"));
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = details.dataset.print = true;
  }
  document.documentElement.dataset.theme = "light"; // at once; style sheets see to the charts' ink
});
addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-print]")) {
    details.open = false;
    delete details.dataset.print;
  }
  document.documentElement.dataset.theme = theme;
});
show(theme);
