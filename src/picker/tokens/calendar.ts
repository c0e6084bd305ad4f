import type { CalendarPeriod } from '../../picker-config/picker-policy';

const DAY_MS = 86_400_000;
/** Local midnight is at most this far from that of UTC: zones reach from 14 hours ahead to 12 behind. */
const MAX_OFFSET_MS = 16 * 3_600_000;

/** Days, weeks (of Monday, as ISO 8601 has them) or months of a time zone, numbered in their order. */
export class Calendar {
  private readonly format: Intl.DateTimeFormat;

  /** @param timeZone a name of the IANA database. @throws RangeError for an unknown one */
  public constructor(
    private readonly period: CalendarPeriod,
    timeZone: string,
  ) {
    const numbers = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', numberingSystem: 'latn', ...numbers });
  }

  /** Number of the period that a moment lies in. */
  public indexAt(epochMs: number): number {
    let [year, month, day] = [0, 0, 0];
    for (const { type, value } of this.format.formatToParts(epochMs)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
    }
    if (this.period === 'month') return year * 12 + month - 1;
    const days = Date.UTC(year, month - 1, day) / DAY_MS;
    // 1970 began on a Thursday
    return this.period === 'day' ? days : Math.floor((days + 3) / 7);
  }

  /**
   * The first moment of a period. It is looked for, rather than computed from an offset: days of 23 and 25 hours, midnights that clocks
   * skip, and days that a country left out are then nothing special.
   */
  public startOf(index: number): number {
    const guessMs = this.utcStartOf(index);
    let before = guessMs - MAX_OFFSET_MS;
    let after = guessMs + MAX_OFFSET_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.indexAt(middle) < index) before = middle;
      else after = middle;
    }
    return after;
  }

  private utcStartOf(index: number): number {
    if (this.period === 'month') return Date.UTC(Math.floor(index / 12), index % 12);
    return (this.period === 'day' ? index : index * 7 - 3) * DAY_MS;
  }
}
