import type { CalendarPeriod } from '../../picker-config/picker-policy';
import { isTimeZone, TIME_ZONE_WORDS } from '../../shared/time-zone';
import { refuse } from '../internal/errors';

/** Where a day begins. */
export interface CalendarWindowOptions {
  /** A name of the IANA time zone database, as `Europe/Berlin`. @default 'UTC' */
  readonly timeZone?: string;
}

/** A window that begins and ends with the calendar: at its turn everything is free again but what was used beyond the limit. */
export class CalendarWindow {
  /** From midnight to midnight. @throws AIG493 for an unknown time zone */
  public static day(options: CalendarWindowOptions = {}): CalendarWindow {
    return new CalendarWindow('day', options);
  }

  /** From Monday to Sunday. @throws AIG493 for an unknown time zone */
  public static week(options: CalendarWindowOptions = {}): CalendarWindow {
    return new CalendarWindow('week', options);
  }

  /** From the first of a month to its last day. @throws AIG493 for an unknown time zone */
  public static month(options: CalendarWindowOptions = {}): CalendarWindow {
    return new CalendarWindow('month', options);
  }

  /** Name of the time zone. */
  public readonly timeZone: string;

  private constructor(
    /** `day`, `week` or `month`. */
    public readonly period: CalendarPeriod,
    { timeZone = 'UTC' }: CalendarWindowOptions,
  ) {
    this.timeZone = timeZone;
    if (isTimeZone(timeZone)) return;
    const what = 'this is no time zone';
    refuse(undefined, { code: 'AIG493', what, value: timeZone, allowed: TIME_ZONE_WORDS, fix: 'correct the name' });
  }
}
