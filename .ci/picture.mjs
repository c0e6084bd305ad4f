// `npm run picture`: runs `npm start` and draws what it prints as docs/pictures/npm-start.svg, the picture in README.md. The lines appear in
// their recorded order and pace, shortened to a few seconds; readers who want no motion see all of them at once.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(fileURLToPath(import.meta.url), '../..');
const COLUMNS = 118;
const CELL_WIDTH = 7.25;
const LINE_HEIGHT = 18;
const MARGIN = 18;
const BAR = 34;
const SECONDS = 10;
/** A pause that is longer, while something is installed or built, is cut to this. */
const LONGEST_PAUSE_MS = 1_500;

/** What is worth a line; a run of others becomes one `…`. */
const SHOWN = [/^\[\d\/\d\]/, /^Checked: \d+ objects of/, /^No findings/, /^Ready:/, /^[✓✗]/, /expectations held$/];

const lines = await record();
writeFileSync(join(root, 'docs/pictures/npm-start.svg'), drawn(shortened(lines)));

/** Every line of `npm start`, with the milliseconds after which it came. */
function record() {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, ['.ci/start.mjs', ...process.argv.slice(2)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const found = [];
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      process.stdout.write(chunk);
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      for (const text of parts) found.push({ text, atMs: performance.now() - startedMs });
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(found) : reject(new Error(`npm start ended with ${code}: no picture`))));
  });
}

function shortened(found) {
  const kept = [{ text: '$ npm start', atMs: 0 }];
  for (const { text, atMs } of found) {
    if (SHOWN.some((pattern) => pattern.test(text))) kept.push({ text, atMs });
    else if (text !== '' && kept.at(-1).text !== '  …') kept.push({ text: '  …', atMs });
  }
  return kept;
}

function drawn(kept) {
  const width = Math.round(COLUMNS * CELL_WIDTH + 2 * MARGIN);
  const height = BAR + kept.length * LINE_HEIGHT + MARGIN;
  const delaysMs = [];
  for (const [index, { atMs }] of kept.entries()) {
    delaysMs.push(index === 0 ? 0 : delaysMs[index - 1] + Math.min(LONGEST_PAUSE_MS, atMs - kept[index - 1].atMs));
  }
  const texts = kept.map(({ text }, index) => {
    const cut = text.length > COLUMNS ? `${text.slice(0, COLUMNS - 1)}…` : text;
    const delay = ((delaysMs[index] / delaysMs.at(-1)) * SECONDS).toFixed(1);
    const y = BAR + (index + 1) * LINE_HEIGHT;
    return `  <text class="${kind(text)}" x="${MARGIN}" y="${y}" style="animation-delay: ${delay}s">${escaped(cut)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="What npm start prints">
  <style>
    text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12px; fill: #d4dae3; white-space: pre; animation: appear 0.2s both; }
    .command { fill: #ffffff; font-weight: 600; }
    .step { fill: #8ab4f8; }
    .held { fill: #7ee2a0; }
    .failed { fill: #ff8a80; }
    .left-out { fill: #7b8594; }
    @keyframes appear { from { opacity: 0; } to { opacity: 1; } }
    @media (prefers-reduced-motion: reduce) { text { animation: none; } }
  </style>
  <rect width="${width}" height="${height}" rx="10" fill="#161b22"/>
  <circle cx="22" cy="18" r="5" fill="#ff5f57"/><circle cx="40" cy="18" r="5" fill="#febc2e"/><circle cx="58" cy="18" r="5" fill="#28c840"/>
${texts.join('\n')}
</svg>
`;
}

function kind(text) {
  if (text.startsWith('$')) return 'command';
  if (text.startsWith('[')) return 'step';
  if (text.startsWith('✗')) return 'failed';
  if (text === '  …') return 'left-out';
  return text.startsWith('✓') || text.endsWith('held') ? 'held' : 'plain';
}

function escaped(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
