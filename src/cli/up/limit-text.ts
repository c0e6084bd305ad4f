import type { PolicyLimit } from '../../picker-config/picker-policy';

/** What a limit lets pass; without a window it limits requests at one time. */
export interface LimitSize extends Pick<PolicyLimit, 'windowSeconds' | 'calendarWindow'> {
  /** `tokens` or `requests`. */
  readonly unit: string;
  readonly amount: number;
}

/** `1000 tokens in 60 s`, `1000 tokens in a calendar month (Europe/Berlin)`, `8 requests at one time`. */
export function limitText(limit: LimitSize): string {
  const window = windowText(limit);
  return window === undefined ? `${limit.amount} requests at one time` : `${limit.amount} ${limit.unit} in ${window}`;
}

function windowText({ windowSeconds, calendarWindow }: LimitSize): string | undefined {
  if (calendarWindow !== undefined) return `a calendar ${calendarWindow.period} (${calendarWindow.timeZone})`;
  return windowSeconds === undefined ? undefined : `${windowSeconds} s`;
}
