/** What a level may have at once, in seats. */
export interface SeatBounds {
  readonly nominal: number;
  /** What others can't borrow of it. */
  readonly min: number;
  /** With what it borrows. */
  readonly max: number;
}

export interface Shares {
  readonly shares: number;
  readonly lendablePercent: number;
  /** null: no limit but what others lend. */
  readonly borrowingLimitPercent: number | null;
}

/** Halvings of the interval in which the fair fraction lies: enough to tell seats apart. */
const STEPS = 50;

/**
 * The bounds of all levels of a server that does `total` at once.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#borrowing
 */
export function seatBounds(levels: readonly Shares[], total: number): SeatBounds[] {
  const sum = levels.reduce((all, { shares }) => all + shares, 0);
  return levels.map(({ shares, lendablePercent, borrowingLimitPercent }) => {
    const nominal = sum === 0 ? 0 : Math.ceil((total * shares) / sum);
    const lent = Math.round((nominal * lendablePercent) / 100);
    const borrowed = borrowingLimitPercent === null ? total : Math.round((nominal * borrowingLimitPercent) / 100);
    return { nominal, min: nominal - lent, max: Math.min(total, nominal + borrowed) };
  });
}

/**
 * How many seats each level has, given what it wanted of late: all get the same fraction of that, within their bounds,
 * so that together they have `total`. Nobody who has shares is left without a seat.
 */
export function currentLimits(levels: readonly (SeatBounds & { readonly demand: number })[], total: number): number[] {
  const wanted = levels.map(({ demand, min, max }) => Math.min(max, Math.max(min, demand)));
  const at = (fraction: number) => levels.map(({ min, max }, i) => Math.min(max, Math.max(min, fraction * wanted[i]!)));
  const sum = (limits: readonly number[]) => limits.reduce((all, limit) => all + limit, 0);
  let low = 0;
  // Beyond it every level that wants anything has its most.
  let high = total;
  for (let i = 0; i < STEPS; i++) {
    const middle = (low + high) / 2;
    if (sum(at(middle)) > total) high = middle;
    else low = middle;
  }
  return at(low).map((limit, i) => Math.max(levels[i]!.nominal > 0 ? 1 : 0, Math.round(limit)));
}
