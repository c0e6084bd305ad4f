import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Http2Server } from '../../src/picker/http2/server';
import { describeWith } from '../components/describe-with';
import { certificate } from '../unit/picker/http2/certificate';
import { echo } from '../unit/picker/http2/peer';

/**
 * Cases that do not pass, and why none of them shows a fault: h2spec sends plain requests to `/`, which a gRPC server answers with
 * HEADERS that end the stream and never with DATA.
 */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream':
    'expects DATA in reply to GET; the WINDOW_UPDATE is accepted and the reply is 405 without a body',
  'generic/2: Sends a PRIORITY frame on half-closed (remote) stream':
    'expects DATA in reply to GET; the PRIORITY is accepted and the reply is 405 without a body',
  'http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded':
    'every request is complete and answered before the next one is read, so the limit is never exceeded; a unit test holds streams open',
};
const CASES = 145;
/** These need DATA in a reply, and skip themselves without it. */
const SKIPPED = [
  'http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE',
  'http2/6.9.1: Sends SETTINGS frame to set the initial window size to 1 and sends HEADERS frame',
  'http2/6.9.2: Changes SETTINGS_INITIAL_WINDOW_SIZE after sending HEADERS frame',
  'http2/6.9.2: Sends a SETTINGS frame for window size to be negative',
];

describeWith(['h2spec'], 'h2spec against the HTTP/2 server', ({ h2spec }) => {
  it.each([
    ['plain sockets', false],
    ['TLS', true],
  ])(
    'passes every case that applies to a gRPC server, over %s',
    async (_name, overTls) => {
      const server = new Http2Server({ methods: [echo()], ...(overTls ? { tls: await certificate() } : {}) });
      await server.listen(0, '127.0.0.1');
      const folder = mkdtempSync(join(tmpdir(), 'h2spec-'));
      try {
        const report = join(folder, 'report.xml');
        const port = String(server.address().port);
        await run(h2spec, ['-h', '127.0.0.1', '-p', port, '-o', '1', '-j', report, ...(overTls ? ['-t', '-k'] : [])]);
        const results = parseReport(readFileSync(report, 'utf8'));
        expect(titles(results, 'error')).toEqual(Object.keys(NOT_APPLICABLE).sort());
        expect(titles(results, 'skipped')).toEqual(SKIPPED);
        expect(results).toHaveLength(CASES);
      } finally {
        rmSync(folder, { recursive: true, force: true });
        await server.close();
      }
    },
    120_000,
  );
});

/** h2spec ends with 1 when a case fails; only the report says which. */
function run(program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 110_000 }, (error) => (error === null || error.code === 1 ? resolve() : reject(error)));
  });
}

interface Result {
  readonly title: string;
  readonly outcome: string;
}

function parseReport(xml: string): Result[] {
  const results: Result[] = [];
  for (const [, name, title, , body] of xml.matchAll(
    /<testcase package="([^"]*)" classname="([^"]*)" time="([^"]*)">([\s\S]*?)<\/testcase>/g,
  )) {
    results.push({ title: `${name}: ${title}`, outcome: /<(error|failure|skipped)/.exec(body!)?.[1] ?? 'passed' });
  }
  return results;
}

function titles(results: readonly Result[], outcome: string): string[] {
  return results
    .filter((result) => result.outcome === outcome)
    .map((result) => result.title)
    .sort();
}
