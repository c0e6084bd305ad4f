/**
 * Adds `weight · (max − x) / (max − min)` over the candidates' values x; when all are equal, each gets the full weight.
 *
 * Endpoints that never reported (trust 0) take no part in min and max: their zeros would squeeze the others together. Their own score is
 * replaced by the mean anyway.
 */
export function addFewerIsBetter(
  column: Float64Array,
  trust: Float64Array,
  candidates: Int32Array,
  count: number,
  weight: number,
  totals: Float64Array,
): void {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    const slot = candidates[k]!;
    if (trust[slot] === 0) continue;
    const x = column[slot]!;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (!(max > min)) {
    for (let k = 0; k < count; k++) totals[k] = totals[k]! + weight;
    return;
  }
  const range = max - min;
  for (let k = 0; k < count; k++) {
    const score = (max - column[candidates[k]!]!) / range;
    totals[k] = totals[k]! + weight * (score < 0 ? 0 : score > 1 ? 1 : score);
  }
}
