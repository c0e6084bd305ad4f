import type { Session } from '../run/session';
import { waysOf } from './ways';

/** How to use what runs: the URL, a curl line, an OpenAI SDK line. */
export function requestExample(session: Session): string[] {
  const [way] = waysOf(session);
  const model = way?.model ?? session.plan.engines[0]!.models[0]!;
  const headers = Object.entries(way?.headers ?? {});
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  const given = headers.map(([name, value]) => ` -H '${name}: ${value}'`).join('');
  const key = way?.headers['authorization']?.replace(/^Bearer /, '') ?? 'none';
  const others = Object.fromEntries(headers.filter(([name]) => name !== 'authorization'));
  const sdkHeaders = Object.keys(others).length === 0 ? '' : `, defaultHeaders: ${JSON.stringify(others)}`;
  return [
    '',
    `Ready: ${session.url}/v1 (${session.proxy.kind === 'envoy' ? 'Envoy' : 'embedded proxy'}, ${session.pickers.length === 1 ? 'one picker' : `${session.pickers.length} pickers`}, ${session.plan.engines.length} simulated engines)`,
    `  curl ${session.url}/v1/chat/completions -H 'content-type: application/json'${given} -d '${body}'`,
    `  new OpenAI({ baseURL: '${session.url}/v1', apiKey: '${key}'${sdkHeaders} })`,
    '',
  ];
}
