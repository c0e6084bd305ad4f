import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, stopAll } from '../components/process';
import { memoryMb } from './support/process-usage';
import { loadRun } from './support/programs';
import { picker } from './support/subjects';

/** Load between two looks at the memory. */
const SECONDS = 10;

/** Does the memory of the picker stay what it is through so many prompts, no two of them alike? 1 KB each, 8 endpoints, closed loop. */
async function main(): Promise<void> {
  const wanted = Number(process.argv[2] ?? 10_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'distinct-'));
  try {
    const { process: server, port } = await picker.start(await freePorts(8), folder);
    const load = { port, serverPid: server.pid, connections: 4, streams: 8, promptBytes: 1024, prompts: 64 };
    process.stdout.write('| Prompts | Requests/s | Errors | RSS MB | Highest MB |\n|--:|--:|--:|--:|--:|\n');
    for (let sent = 0, round = 0; sent < wanted; round++) {
      const numberedFrom = round * 10_000_000;
      const { requests, errors, requestsPerSecond } = await loadRun({
        ...load,
        numberedFrom,
        warmupSeconds: 0,
        seconds: SECONDS,
      });
      sent += requests;
      const { rss, peak } = memoryMb(server.pid);
      const cells = [sent, Math.round(requestsPerSecond), errors, Math.round(rss), Math.round(peak)];
      process.stdout.write(`| ${cells.map((cell) => cell.toLocaleString('en-US')).join(' | ')} |\n`);
    }
    await server.stop();
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
