import { skipSpace } from '../openai/json-text';
import type { ScannedBody } from '../openai/scanned-body';
import type { BodyPool } from './body-pool';

/** Bytes `start` to `end` of a body are replaced by `text`. */
export interface BodyEdit {
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
}

/** The change that makes an engine see `targetModel`; undefined when it sees it already. The body is a JSON object. */
export function modelEdit(body: Buffer, scanned: ScannedBody, targetModel: string): BodyEdit | undefined {
  if (scanned.model === targetModel) return undefined;
  const name = JSON.stringify(targetModel);
  if (scanned.modelStart >= 0) return { start: scanned.modelStart, end: scanned.modelEnd, text: Buffer.from(name) };
  const at = body.indexOf(0x7b) + 1;
  const isEmpty = body[skipSpace(body, at, body.length)] === 0x7d;
  return { start: at, end: at, text: Buffer.from(`"model":${name}${isEmpty ? '' : ','}`) };
}

export function editedLength(body: Buffer, edit: BodyEdit): number {
  return body.length - (edit.end - edit.start) + edit.text.length;
}

/** The changed body in a buffer of the pool, which the caller gives back. */
export function applyEdit(body: Buffer, edit: BodyEdit, pool: BodyPool): Buffer {
  const changed = pool.take(editedLength(body, edit));
  let length = body.copy(changed, 0, 0, edit.start);
  length += edit.text.copy(changed, length);
  body.copy(changed, length, edit.end);
  return changed;
}

/** What the edit leaves of the bytes `start` to `end`; undefined when it does not touch them. */
export function editedPiece(body: Buffer, edit: BodyEdit, start: number, end: number): Buffer | undefined {
  const begins = edit.start >= start && edit.start < end;
  if (!begins && (edit.start >= end || edit.end <= start)) return undefined;
  const rest = body.subarray(Math.min(end, edit.end), end);
  return begins ? Buffer.concat([body.subarray(start, edit.start), edit.text, rest]) : Buffer.from(rest);
}
