import { ApiObject, App, Chart } from 'cdk8s';
import { Accelerator, AiGateway, GatewayImplementation, InferencePool, ModelSource, VllmBackend } from '../../../src';

function app(): { readonly app: App; readonly chart: Chart } {
  const root = new App();
  const chart = new Chart(root, 'llm', { namespace: 'ai' });
  const gateway = new AiGateway(chart, 'gateway', { implementation: GatewayImplementation.envoyGateway() });
  const backend = new VllmBackend(chart, 'qwen', {
    model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
    accelerator: Accelerator.nvidia('L40S'),
    maxModelLengthTokens: 8_192,
  });
  gateway.addModel('qwen', { pool: new InferencePool(chart, 'pool', { backend }) });
  return { app: root, chart };
}

describe('rules over all objects of an app', () => {
  it('are silent about what the library makes', () => {
    expect(() => app().app.synth()).not.toThrow();
  });

  it('fail synthesis for an object that the user added, with its path', () => {
    const { app: root, chart } = app();
    new ApiObject(chart, 'route', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'mine' },
      spec: { parentRefs: [{ name: 'gateway', sectionName: 'htpp' }] },
    });
    expect(() => root.synth()).toThrow(
      /AIG105 spec\.parentRefs\[0\]\.sectionName is no listener of Gateway ai\/gateway.*\[llm\/route\]/,
    );
  });

  it('are silent about warnings, which are for the command line', () => {
    const { app: root, chart } = app();
    new ApiObject(chart, 'rewrite', {
      apiVersion: 'llm-d.ai/v1alpha2',
      kind: 'InferenceModelRewrite',
      metadata: { name: 'mine' },
      spec: { poolRef: { name: 'pool' }, rules: [{ targets: [{ modelRewrite: 'a', weight: 1 }, { modelRewrite: 'b' }] }] },
    });
    expect(() => root.synth()).not.toThrow();
  });
});
