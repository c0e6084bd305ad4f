import type { PolicyCalendarWindow, PolicyLimit } from '../../picker-config/picker-policy';
import { Calendar } from './calendar';
import { clearMs, debtOf, type WindowUse, waitMs } from './sliding-window';

/** From a day on a limit is a quota: clients should tell their users, rather than try again. */
const QUOTA_WINDOW_MS = 86_400_000;
/** Nobody waits for more windows than this. */
const MAX_TURNS = 1_000;

/** The windows of a limit: which of them a moment lies in, and when what was used is free again. */
export interface LimitWindow {
  /** Part of the name of a counter: limits with other windows count apart. */
  readonly id: string;
  /** `60 s`, `a calendar month (Europe/Berlin)`; undefined where there are no windows. */
  readonly words: string | undefined;
  /** A day or longer. */
  readonly isQuota: boolean;
  /** Number of the window that a moment lies in. */
  indexAt(nowMs: number): number;
  /** Share of the window that has passed, as far as what was used in the one before fades with it: 0 to 1. */
  elapsedAt(nowMs: number, index: number): number;
  /** Of the window that a moment lies in; 0 where there are no windows. */
  lengthMs(nowMs: number): number;
  /** How the scripts of the shared store are told of it: its length, or the number, beginning and end of the window under way. */
  forScript(nowMs: number): number | string;
  /** Milliseconds until `charge` fits if nothing else is used or given back. @param charge at most `amount` */
  waitMs(use: WindowUse, amount: number, charge: number, nowMs: number): number;
  /** Milliseconds until nothing of the use is left, if nothing is added. */
  clearMs(use: WindowUse, amount: number, nowMs: number): number;
}

export function limitWindow({ windowSeconds, calendarWindow }: PolicyLimit): LimitWindow {
  if (calendarWindow !== undefined) return new CalendarWindow(calendarWindow);
  return windowSeconds === undefined ? AT_ONE_TIME : new SlidingWindow(windowSeconds);
}

/** Of a length, sliding on at every moment. */
class SlidingWindow implements LimitWindow {
  public readonly id: string;
  public readonly words: string;
  public readonly isQuota: boolean;
  private readonly ms: number;

  public constructor(seconds: number) {
    this.id = String(seconds);
    this.words = `${seconds} s`;
    this.ms = seconds * 1e3;
    this.isQuota = this.ms >= QUOTA_WINDOW_MS;
  }

  public indexAt(nowMs: number): number {
    return Math.floor(nowMs / this.ms);
  }

  public elapsedAt(nowMs: number, index: number): number {
    return nowMs / this.ms - index;
  }

  public lengthMs(): number {
    return this.ms;
  }

  public forScript(): number {
    return this.ms;
  }

  public waitMs(use: WindowUse, amount: number, charge: number, nowMs: number): number {
    return waitMs(use, amount, this.ms, this.elapsedAt(nowMs, use.window), charge);
  }

  public clearMs(use: WindowUse, amount: number, nowMs: number): number {
    return clearMs(use, amount, this.ms, this.elapsedAt(nowMs, use.window));
  }
}

/** Days, weeks or months, each of which begins with nothing but the debt of the one before. */
class CalendarWindow implements LimitWindow {
  public readonly id: string;
  public readonly words: string;
  public readonly isQuota = true;
  private readonly calendar: Calendar;
  private index = 0;
  private fromMs = 0;
  private toMs = 0;

  public constructor({ period, timeZone }: PolicyCalendarWindow) {
    this.id = `${period}@${timeZone}`;
    this.words = `a calendar ${period} (${timeZone})`;
    this.calendar = new Calendar(period, timeZone);
  }

  public indexAt(nowMs: number): number {
    if (nowMs >= this.fromMs && nowMs < this.toMs) return this.index;
    this.index = this.calendar.indexAt(nowMs);
    this.fromMs = this.calendar.startOf(this.index);
    this.toMs = this.calendar.startOf(this.index + 1);
    return this.index;
  }

  public elapsedAt(): number {
    return 1;
  }

  public lengthMs(nowMs: number): number {
    this.indexAt(nowMs);
    return this.toMs - this.fromMs;
  }

  public forScript(nowMs: number): string {
    return `${this.indexAt(nowMs)}:${this.fromMs}:${this.toMs}`;
  }

  public waitMs(use: WindowUse, amount: number, charge: number, nowMs: number): number {
    return this.untilFree(use, amount, amount - charge, nowMs);
  }

  public clearMs(use: WindowUse, amount: number, nowMs: number): number {
    return this.untilFree(use, amount, 0, nowMs);
  }

  /** Until what stands is no more than `room`: each turn of the calendar works off one amount. */
  private untilFree(use: WindowUse, amount: number, room: number, nowMs: number): number {
    const standing = debtOf(use, amount) + use.current;
    if (standing <= room) return 0;
    const turns = Math.min(MAX_TURNS, Math.ceil((standing - room) / amount));
    return Math.ceil(this.calendar.startOf(use.window + turns) - nowMs);
  }
}

/** What is limited at one time has no windows. */
const AT_ONE_TIME: LimitWindow = {
  id: '',
  words: undefined,
  isQuota: false,
  indexAt: () => 0,
  elapsedAt: () => 0,
  lengthMs: () => 0,
  forScript: () => 0,
  waitMs: () => 0,
  clearMs: () => 0,
};
