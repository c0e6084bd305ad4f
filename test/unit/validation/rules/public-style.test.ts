import path from 'node:path';
import { validateManifests } from '../../../../src/validation';

const told = (file: string): string[] =>
  validateManifests([path.join(__dirname, '../../../fixtures/public-style', file)]).map(
    ({ severity, code, object }) => `${severity} ${code} ${object?.kind}/${object?.name}`,
  );

describe('manifests as public guides have them', () => {
  it('get what is true of a pool of engines: answers may be cut, statistics are sent, nothing keeps a replica', () => {
    expect(told('vllm-and-pool.yaml')).toEqual([
      'hint AIG207 Deployment/vllm-llama3-8b-instruct',
      'hint AIG205 Deployment/vllm-llama3-8b-instruct',
      'warning AIG208 Deployment/vllm-llama3-8b-instruct',
    ]);
  });

  it('get nothing but what is deprecated where gateways lead to plain services', () => {
    expect(told('gateways.yaml')).toEqual(['hint AIG140 ClientTrafficPolicy/enable-proxy-protocol-policy']);
  });

  it('get nothing for engines over several nodes, engines started by a shell, and limits of requests to a web server', () => {
    expect(told('engines-and-limits.yaml')).toEqual([]);
  });
});
