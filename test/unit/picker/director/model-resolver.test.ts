import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { ModelRewrites, type RewriteRule } from '../../../../src/picker/datastore/model-rewrites';
import { PassModelResolver, type ResolvedModel } from '../../../../src/picker/director/model-resolver';
import type { RequestFacts } from '../../../../src/picker/ext-proc/director';
import { BodyScan, scanBody } from '../../../../src/picker/openai/body-scanner';
import { SeededRandom } from '../../../../src/shared/random';

const EXACT: RewriteRule = { models: ['llama'], targets: [{ model: 'llama-v2' }] };
const GENERAL: RewriteRule = { models: [], targets: [{ model: 'fallback' }] };

function resolve(
  rules: readonly RewriteRule[],
  json: object | undefined,
  headers: Record<string, string> = {},
  path = '/v1/chat/completions',
) {
  const rewrites = new ModelRewrites(new SeededRandom(1));
  rewrites.replaceAll([{ name: 'r', createdAt: '', rules }]);
  const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
  const scanned = new BodyScan();
  if (body !== undefined) scanBody('chat', body, scanned);
  const request: RequestFacts = {
    id: 1,
    header: (name) => headers[name],
    method: 'POST',
    path,
    body,
    scanned: body === undefined ? undefined : scanned,
    subset: undefined,
  };
  const into: ResolvedModel = { model: 'of the last request', targetModel: 'of the last request', attempts: [] };
  const pool = { name: 'pool', endpoints: new EndpointStore(), setHeaders: undefined };
  const refusal = new PassModelResolver(pool, rewrites).resolve(request, into);
  return refusal === undefined ? [into.model, into.targetModel, into.rule] : refusal.status;
}

const HEADER = { 'x-llm-d-model-name-rewrite': 'by-header' };

test.each<[string, ReturnType<typeof resolve>, ReturnType<typeof resolve>]>([
  ['a rule for its model applies', resolve([EXACT], { model: 'llama' }), ['llama', 'llama-v2', 'rewrite-rule']],
  ['a rule for another model does not', resolve([EXACT], { model: 'mistral' }), ['mistral', 'mistral', 'as-asked']],
  ['a rule goes before the header', resolve([EXACT], { model: 'llama' }, HEADER), ['llama', 'llama-v2', 'rewrite-rule']],
  [
    'without a rule the header applies',
    resolve([EXACT], { model: 'mistral' }, HEADER),
    ['mistral', 'by-header', 'rewrite-header'],
  ],
  ['a general rule supplies a missing model', resolve([GENERAL], { prompt: 'x' }), ['', 'fallback', 'rewrite-rule']],
  ['without it a missing model is refused', resolve([EXACT], { prompt: 'x' }), 400],
  ['a body of another kind is left alone', resolve([GENERAL], { text: 'x' }, {}, '/tokenize'), ['', '', 'as-asked']],
  ['a request without a body is left alone', resolve([GENERAL], undefined), ['', '', 'as-asked']],
])('the model of a request: %s', (_, found, expected) => {
  expect(found).toEqual(expected);
});
