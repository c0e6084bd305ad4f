import type { BodyPool } from './body-pool';

/** Bytes `start` to `end` of a body are replaced by `text`. Edits of one body are in order and do not overlap. */
export interface BodyEdit {
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
}

export function editedLength(body: Buffer, edits: readonly BodyEdit[]): number {
  let length = body.length;
  for (const { start, end, text } of edits) length += text.length - (end - start);
  return length;
}

/** The changed body in a buffer of the pool, which the caller gives back. */
export function applyEdits(body: Buffer, edits: readonly BodyEdit[], pool: BodyPool): Buffer {
  const changed = pool.take(editedLength(body, edits));
  let length = 0;
  let at = 0;
  for (const { start, end, text } of edits) {
    length += body.copy(changed, length, at, start);
    length += text.copy(changed, length);
    at = end;
  }
  body.copy(changed, length, at);
  return changed;
}

/** What the edits leave of the bytes `start` to `end`; undefined when they do not touch them. */
export function editedPiece(body: Buffer, edits: readonly BodyEdit[], start: number, end: number): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = start;
  let touched = false;
  for (const edit of edits) {
    const begins = edit.start >= start && edit.start < end;
    if (!begins && (edit.start >= end || edit.end <= start)) continue;
    touched = true;
    if (begins) parts.push(body.subarray(at, edit.start), edit.text);
    at = Math.max(at, Math.min(end, edit.end));
  }
  if (!touched) return undefined;
  parts.push(body.subarray(at, end));
  return Buffer.concat(parts);
}
