import { applyMends } from '../../../../src/cli/validate/mends';
import { readManifests, validateManifests } from '../../../../src/validation';

const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n';
const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: ai}]
  rules:
    - backendRefs: [{name: web, port: 8080}] # the site
`;

function mended(text: string): string {
  const { documents } = readManifests(text);
  return applyMends(text, validateManifests(documents));
}

describe('mends', () => {
  it('change the value that is wrong and nothing else', () => {
    expect(mended(`${ROUTE}---\n${SERVICE}`)).toBe(`${ROUTE.replace('8080', '80')}---\n${SERVICE}`);
  });

  it.each([
    ['a document that nests without end', '['.repeat(20_000)],
    ['a key that stands twice', 'a: 1\na: 2\n'],
    ['a template', 'a: {{ .Values.a }}\n'],
  ])('are made beside %s, which stays as it is', (_, other) => {
    expect(mended(`${ROUTE}---\n${SERVICE}---\n${other}`)).toBe(`${ROUTE.replace('8080', '80')}---\n${SERVICE}---\n${other}`);
  });
});
