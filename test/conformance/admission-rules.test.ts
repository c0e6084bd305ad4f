import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readManifests } from '../../src/validation';
import { RULES } from '../../src/validation/rules';
import { describeWith } from '../components/describe-with';
import { type ApiServer, startApiServer } from './apiserver';
import type { KubernetesObject } from './apiserver-client';

const PAGES = path.join(__dirname, '../../docs/rules');
// Rules that look at what is in the cluster cannot be asked by a dry run.
const codes = RULES.filter(({ isAdmission, code }) => isAdmission === true && code !== 'AIG059').map(({ code }) => code);

function objects(code: string, title: string): KubernetesObject[] {
  const text = readFileSync(path.join(PAGES, `${code}.md`), 'utf8');
  const yaml = new RegExp(`^## ${title}\\n\\n\`\`\`yaml\\n(.*?)\`\`\`$`, 'ms').exec(text)![1]!;
  return readManifests(yaml).documents.map(({ value }) => {
    const object = value as KubernetesObject;
    return { ...object, metadata: { namespace: 'default', ...object.metadata } };
  });
}

describeWith(['etcd', 'kube-apiserver'], 'rules about built-in kinds and a real API server', (programs) => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer(programs);
  }, 120_000);

  afterAll(() => server?.stop());

  it('has pages to ask about', () => {
    expect(readdirSync(PAGES)).toEqual(expect.arrayContaining(codes.map((code) => `${code}.md`)));
  });

  it.each(codes)('%s: the server refuses what is wrong on the page, and accepts what is right', async (code) => {
    const wrong = await Promise.all(objects(code, 'Wrong').map((object) => server.dryRunCreate(object)));
    expect(wrong.map(({ status }) => status)).toContain(422);
    for (const object of objects(code, 'Right')) expect(await server.dryRunCreate(object)).toMatchObject({ isAccepted: true });
  });
});
