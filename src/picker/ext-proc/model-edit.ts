import { skipSpace } from '../openai/json-text';
import type { ScannedBody } from '../openai/scanned-body';
import type { BodyEdit } from './body-edit';

/** The change that makes an engine see `targetModel`; undefined when it sees it already. The body is a JSON object. */
export function modelEdit(body: Buffer, scanned: ScannedBody, targetModel: string): BodyEdit | undefined {
  if (scanned.model === targetModel) return undefined;
  const name = JSON.stringify(targetModel);
  if (scanned.modelStart >= 0) return { start: scanned.modelStart, end: scanned.modelEnd, text: Buffer.from(name) };
  const at = body.indexOf(0x7b) + 1;
  const isEmpty = body[skipSpace(body, at, body.length)] === 0x7d;
  return { start: at, end: at, text: Buffer.from(`"model":${name}${isEmpty ? '' : ','}`) };
}
