import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { resourceName } from '../../../../src/constructs/internal/names';
import { refusal } from '../vllm/synth';

function scopeOf(...ids: string[]): Construct {
  let scope: Construct = new Chart(new App(), 'chart');
  for (const id of ids) scope = new Construct(scope, id);
  return scope;
}

test.each([
  [['llama'], 'llama'],
  [['Team A', 'Llama_3'], 'team-a-llama-3'],
  [['llama', 'Resource'], 'llama'],
  [['Default', 'llama'], 'llama'],
  [['--llama--'], 'llama'],
])('the path %j becomes %s', (ids, name) => {
  expect(resourceName(scopeOf(...ids))).toBe(name);
});

test('a chart below another names only what is below it', () => {
  const inner = new Chart(new Chart(new App(), 'outer'), 'inner');
  expect(resourceName(new Construct(inner, 'llama'))).toBe('llama');
  expect(resourceName(inner)).toBe('inner');
});

test('a suffix is appended to a made name and not to a chosen one', () => {
  expect(resourceName(scopeOf('llama'), { suffix: 'picker' })).toBe('llama-picker');
  expect(resourceName(scopeOf('llama'), { suffix: 'picker', explicit: 'mine' })).toBe('mine');
});

test.each([
  [['3-llamas'], {}],
  [['ïü'], {}],
  [['x'.repeat(64)], {}],
  [['llama'], { explicit: 'Llama' }],
  [['llama'], { explicit: '' }],
  [['llama'], { maxLength: 10, suffix: 'picker' }],
])('the path %j with %j is refused', (ids, options) => {
  expect(refusal(() => resourceName(scopeOf(...ids), options))?.code).toBe('AIG436');
});

describe('two objects of one name', () => {
  function synth(...objects: [kind: string, namespace: string | undefined][]): () => void {
    const app = new App();
    const chart = new Chart(app, 'chart');
    resourceName(new Construct(chart, 'llama'));
    for (const [index, [kind, namespace]] of objects.entries()) {
      new ApiObject(chart, `o${index}`, { apiVersion: 'v1', kind, metadata: { name: 'same', namespace } });
    }
    return () => app.synthYaml();
  }

  test('are found, with both paths', () => {
    expect(synth(['Service', 'a'], ['Service', 'a'])).toThrow(/AIG437 .*Service a\/same.*\[chart\/o0, chart\/o1\]/);
  });

  test('may be of two kinds or in two namespaces', () => {
    expect(synth(['Service', 'a'], ['Service', 'b'], ['ConfigMap', 'a'], ['Service', undefined])).not.toThrow();
  });
});
