import { createServer, type Socket } from 'node:net';
import { Engine } from '../../src/simulation/engine/core/engine';
import { VirtualTimeline } from '../../src/simulation/engine/core/timeline';
import { METRICS_CONTENT_TYPE, metricsPage } from '../../src/simulation/engine/http/metrics-page';

const PAGE_BYTES = 24_000;

/** A page of the size that a real engine serves: ours, and the runtime's own series that a Python server adds. */
function page(isBusy: boolean): string {
  const timeline = new VirtualTimeline();
  const engine = new Engine(timeline);
  if (isBusy) engine.submit({ promptTokens: Int32Array.of(1), outputTokens: new Int32Array(1000), finishReason: 'length' });
  timeline.run(1000);
  const answers = { mode: 'echo', seed: 1, meanOutputTokens: 1 } as const;
  let text = metricsPage({ engine, models: ['llama'], answers, createdSeconds: 0, chance: () => 1 });
  for (let i = 0; text.length < PAGE_BYTES; i++) {
    if (i % 20 === 0)
      text += `# HELP http_request_duration_seconds_${i} Duration.\n# TYPE http_request_duration_seconds_${i} histogram\n`;
    text += `http_request_duration_seconds_${i - (i % 20)}_bucket{handler="/v1/chat/completions",method="POST",le="${(i % 20) / 10}"} ${i}\n`;
  }
  return text;
}

function answerWith(body: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${METRICS_CONTENT_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

let answer = answerWith(page(false));
let served = 0;

/** On SIGUSR2 all engines have work from then on: some pickers look at idle ones less often. */
process.on('SIGUSR2', () => {
  answer = answerWith(page(true));
});

/** On SIGUSR1 it tells how often it was asked. */
process.on('SIGUSR1', () => process.stdout.write(`served ${served} pages\n`));

/** Answers whatever is asked: one write per request costs least, and the client's core is shared with the load. */
function serve(socket: Socket): void {
  let asked = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    asked += chunk.toString('latin1');
    for (let end = asked.indexOf('\r\n\r\n'); end >= 0; end = asked.indexOf('\r\n\r\n')) {
      asked = asked.slice(end + 4);
      socket.write(answer);
      served++;
    }
  });
}

/** `static-metrics.js COUNT`: listens on as many free ports, prints them as one line, and serves the same page on each. */
async function main(): Promise<void> {
  const servers = Array.from({ length: Number(process.argv[2]) }, () => createServer(serve));
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  process.stdout.write(`ports ${servers.map((server) => (server.address() as { port: number }).port).join(',')}\n`);
}

void main();
