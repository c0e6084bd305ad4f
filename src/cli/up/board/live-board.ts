import type { Session } from '../run/session';
import { BoardWatch } from './board-state';
import { decisionLine, renderBoard } from './render-board';

export interface BoardOptions {
  readonly json: boolean;
  readonly once: boolean;
}

const INTERVAL_MS = 1_000;
const CLEAR_BELOW = '\x1b[J';
const HOME = '\x1b[H';
const ALTERNATE_SCREEN = '\x1b[?1049h\x1b[?25l';
const NORMAL_SCREEN = '\x1b[?25h\x1b[?1049l';

/** Shows what happens until it is stopped: a board in a terminal, decisions line by line elsewhere, states with `json`. */
export async function showBoard(session: Session, { json, once }: BoardOptions, stopped: AbortSignal): Promise<void> {
  const watch = new BoardWatch(session);
  const out = process.stdout;
  if (once) {
    // tokens a second are the difference of two looks
    await watch.look();
    await pause(stopped);
    const state = await watch.look();
    out.write(`${json ? JSON.stringify(state) : renderBoard(state, 200, 200).join('\n')}\n`);
    return;
  }
  const isBoard = out.isTTY && !json;
  if (isBoard) out.write(ALTERNATE_SCREEN);
  try {
    let shownUntil = '';
    while (!stopped.aborted) {
      const state = await watch.look();
      if (stopped.aborted) break;
      if (json) out.write(`${JSON.stringify(state)}\n`);
      else if (isBoard) {
        const lines = renderBoard(state, out.columns, out.rows - 1);
        out.write(`${HOME}${lines.map((line) => `${line}\x1b[K`).join('\n')}\n${CLEAR_BELOW}`);
      } else {
        const fresh = state.decisions.filter(({ at }) => at > shownUntil).reverse();
        for (const decision of fresh) out.write(`${decisionLine(decision)}\n`);
      }
      shownUntil = state.decisions[0]?.at ?? shownUntil;
      await pause(stopped);
    }
  } finally {
    if (isBoard) out.write(NORMAL_SCREEN);
  }
}

function pause(stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, INTERVAL_MS);
    function done(): void {
      clearTimeout(timer);
      stopped.removeEventListener('abort', done);
      resolve();
    }
    stopped.addEventListener('abort', done);
  });
}
