// Costs → ratios. Column 0 is the Worker that only passes on, column 1 the yardstick.
const RESAMPLINGS = 2000;

/** A table: what each Worker adds to passing on, as a ratio to the yardstick. */
export function table(titles, costs) {
  const rows = titles.map((title, column) => [title, ...figures(costs, column)]);
  const head = ["", "µs a request", "added µs", "added, ×", "95 %"];
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)));
  const line = (row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("  ");
  return [head, ...rows].map(line).join("\n");
}

function figures(costs, column) {
  const whole = median(costs.map((row) => row[column])).toFixed(1);
  if (column === 0) return [whole, "", "", ""];
  const cost = added(costs, column).toFixed(1);
  if (column === 1) return [whole, cost, "1", ""];
  const [low, high] = interval(costs, column);
  return [whole, cost, ratio(costs, column).toFixed(2), `${low.toFixed(2)}–${high.toFixed(2)}`];
}

/** What a Worker adds: the median of the differences within a round. */
const added = (costs, column) => median(costs.map((row) => row[column] - row[0]));

const ratio = (costs, column) => added(costs, column) / added(costs, 1);

/** Where 95 % of the ratios lie when the rounds are drawn anew, with replacement (a bootstrap). */
function interval(costs, column) {
  const draw = () => costs.map(() => costs[Math.floor(Math.random() * costs.length)]);
  const ratios = Array.from({ length: RESAMPLINGS }, () => ratio(draw(), column)).sort((a, b) => a - b);
  return [ratios[Math.floor(RESAMPLINGS * 0.025)], ratios[Math.floor(RESAMPLINGS * 0.975)]];
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
