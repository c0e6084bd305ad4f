import type { RequestApi } from '../openai/request-api';
import type { ScannedBody } from '../openai/scanned-body';
import type { BodyEdit } from './body-edit';

const OPTIONS = '{"include_usage":true}';

/**
 * The change that makes an engine tell the usage of a stream; undefined where it does already: other APIs than OpenAI's two older ones
 * always do, and so do answers that are no streams. The body is a JSON object with at least one member.
 */
export function usageEdit(api: RequestApi, body: Buffer, scanned: ScannedBody): BodyEdit | undefined {
  if (!scanned.stream || scanned.includeUsage || (api !== 'chat' && api !== 'completions')) return undefined;
  const { streamOptionsStart: start = -1, streamOptionsEnd: end = -1 } = scanned;
  if (start < 0) {
    const at = body.indexOf(0x7b) + 1;
    return { start: at, end: at, text: Buffer.from(`"stream_options":${OPTIONS},`) };
  }
  if (body[start] !== 0x7b) {
    // null means none; anything else is the engine's to refuse
    return body[start] === 0x6e ? { start, end, text: Buffer.from(OPTIONS) } : undefined;
  }
  const given = JSON.parse(body.toString('utf8', start, end)) as Record<string, unknown>;
  return { start, end, text: Buffer.from(JSON.stringify({ ...given, include_usage: true })) };
}
