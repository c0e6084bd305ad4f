import ts from 'typescript';
import { pages } from './support/pages';
import { propertiesOf, publicExports } from './support/public-api';

const EXPORTS = publicExports();

test('the public API has been found', () => {
  expect(EXPORTS.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['AiGateway', 'AiGatewayProps', 'Scorer', 'warningsBelow']),
  );
});

test('every export has a docstring', () => {
  expect(EXPORTS.filter(({ doc }) => doc === '').map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});

test('every optional property of an exported interface names its default', () => {
  const silent = EXPORTS.filter(({ node }) => ts.isInterfaceDeclaration(node)).flatMap((declaration) =>
    propertiesOf(declaration)
      .filter(({ isOptional, defaultText }) => isOptional && (defaultText ?? '') === '')
      .map(({ name }) => `${declaration.file}: ${declaration.name}.${name}`),
  );
  expect(silent).toEqual([]);
});

test('every export is spoken of in the documentation', () => {
  // docs/api.md lists them all by itself
  const text = pages()
    .filter(({ file }) => file !== 'docs/api.md')
    .map((page) => page.text)
    .join('\n'); // prettier-ignore
  expect(EXPORTS.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(text)).map(({ name }) => name)).toEqual([]);
});
