import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RequestExplanation } from '../../src/picker/explain/explanation';
import { ExplainCommand, explainFixture } from '../support/explain-command';
import { ROOT } from './support/pages';
import { budgetPicture } from './support/pictures/budget';
import { objectsPicture } from './support/pictures/objects';
import { requestPathPicture } from './support/pictures/request-path';

const command = new ExplainCommand();
afterAll(() => command.close());

/** Each picture of docs/pictures that is drawn from the program. `UPDATE_DOCS=1` draws them anew. */
const PICTURES: Readonly<Record<string, () => string | Promise<string>>> = {
  'request-path': async () => {
    const args = [
      '--request',
      explainFixture('question.json'),
      '--endpoint-state',
      explainFixture('busy.yaml'),
      '--client',
      'alice',
    ];
    const { out } = await command.run([...args, '--json', command.manifestsOf('guide')]);
    return requestPathPicture(JSON.parse(out) as RequestExplanation);
  },
  objects: () => {
    process.env['CDK8S_OUTDIR'] = command.folder;
    return objectsPicture(require(path.join(ROOT, 'examples/guide/main.ts')).app);
  },
  budget: budgetPicture,
};

test.each(Object.entries(PICTURES))('the picture %s is what the program gives', async (name, draw) => {
  const file = path.join(ROOT, `docs/pictures/${name}.svg`);
  const drawn = await draw();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, drawn);
  expect(readFileSync(file, 'utf8')).toBe(drawn);
});
