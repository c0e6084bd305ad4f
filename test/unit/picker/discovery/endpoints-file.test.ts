import { parseEndpointsFile } from '../../../../src/picker/discovery/endpoints-file';
import { formatProblem } from '../../../../src/shared/problem';

const faults = (text: string) => parseEndpointsFile(text, 'endpoints.yaml').problems.map(formatProblem);

describe('an endpoints file', () => {
  test("llm-d's format", () => {
    const text = `
endpoints:
- {name: sim-0, address: 127.0.0.1, port: "8000", labels: {app: sim}}
- {name: sim-1, namespace: bench, address: 127.0.0.1, port: "8001"}
`;
    expect(parseEndpointsFile(text, 'f').endpoints).toEqual([
      { name: 'sim-0', host: '127.0.0.1', isHostName: false, port: 8000, labels: { app: 'sim' } },
      { name: 'sim-1', namespace: 'bench', host: '127.0.0.1', isHostName: false, port: 8001, labels: {} },
    ]);
  });

  test('JSON, IPv6 in any spelling, host names and numeric ports', () => {
    const text =
      '{"endpoints":[{"name":"a","address":"FD00:0:0:0::1","port":8000},{"name":"b","address":"vLLM.example.com","port":80}]}';
    expect(parseEndpointsFile(text, 'f').endpoints).toMatchObject([
      { host: 'fd00::1', isHostName: false },
      { host: 'vllm.example.com', isHostName: true },
    ]);
  });

  test('no endpoints are no fault', () => {
    expect(parseEndpointsFile('endpoints: []', 'f')).toEqual({ endpoints: [], problems: [] });
  });

  test('every fault is told, with its position', () => {
    const text = `endpoints:
- name: a
  address: 10.0.0.1:8000
  port: "8000"
- name: a
  address: 10.0.0.300
  port: 70000
- address: 10.0.0.3
  prot: 80
- name: d
  address: "[fd00::1]"
  port: eighty
  labels: {gpus: 8}
`;
    expect(faults(text)).toEqual([
      "AIG503 'endpoints[0].address' is neither an address nor a host name (got '10.0.0.1:8000'; allowed: an IPv4 address, an IPv6 address without brackets, a DNS name): write the address alone; the port has a key of its own [endpoints.yaml:3:12]",
      expect.stringMatching(/AIG503 'endpoints\[1\].address' .*got '10.0.0.300'.*\[endpoints.yaml:6:12\]/),
      "AIG503 'endpoints[1].port' is not a port (got 70000; allowed: 1 to 65535): correct the port [endpoints.yaml:7:9]",
      expect.stringMatching(/AIG502 unknown key 'endpoints\[2\].prot'.*endpoints.yaml:9:3/),
      expect.stringMatching(/AIG504 'endpoints\[2\].name' is missing/),
      expect.stringMatching(/AIG504 'endpoints\[2\].port' is missing/),
      expect.stringMatching(/AIG503 'endpoints\[3\].address' .*got '\[fd00::1\]'/),
      expect.stringMatching(/AIG503 'endpoints\[3\].port' is not a port \(got 'eighty'/),
      expect.stringMatching(/AIG503 'endpoints\[3\].labels.gpus' has a wrong value \(got 8; allowed: a text\)/),
      "AIG505 two endpoints have the same name (got '/a'): change one of them; the first is at endpoints.yaml:2:3 [endpoints.yaml:5:3]",
    ]);
  });

  test('the same address and port twice is a fault, the same address with other ports is none', () => {
    const entry = (name: string, port: number) => `- {name: ${name}, address: 10.0.0.1, port: ${port}}\n`;
    expect(faults(`endpoints:\n${entry('a', 1)}${entry('b', 2)}`)).toEqual([]);
    expect(faults(`endpoints:\n${entry('a', 1)}${entry('b', 1)}`)).toEqual([
      expect.stringContaining('the same address and port'),
    ]);
  });

  test.each([
    ['', /AIG500 the file is empty/],
    ['endpoints', /AIG503 the file/],
    ['endpoints: {a: 1}', /a list/],
    ['endpoints: [1]', /a mapping/],
    ['endpoints: [', /AIG500 not valid YAML/],
    ['other: 1', /AIG502 unknown key 'other'/],
  ])('%j is refused', (text, expected) => {
    expect(faults(text).join('\n')).toMatch(expected);
  });
});
