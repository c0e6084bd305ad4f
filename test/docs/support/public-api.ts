import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { ROOT } from './pages';

/** A declaration as the source says it, without types being resolved. */
export interface Declaration {
  readonly name: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly node: ts.Statement;
  /** The docstring's text; empty when there is none. */
  readonly doc: string;
}

/** A property of an interface. */
export interface Property {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly doc: string;
  /** The text behind `@default`; undefined when there is none. */
  readonly defaultText: string | undefined;
}

const INDEX = 'src/index.ts';
const sources = new Map<string, ts.SourceFile>();

/** Everything that the library exports, in the order of src/index.ts. */
export function publicExports(): Declaration[] {
  return reexports(parsed(INDEX)).map(({ name, from }) => declarationIn(resolved(INDEX, from), name));
}

/** The properties of an exported interface: its own, then those of the interfaces that it extends. */
export function propertiesOf(declaration: Declaration): Property[] {
  const { node } = declaration;
  if (!ts.isInterfaceDeclaration(node)) throw new Error(`${declaration.name} is no interface`);
  const own = node.members.filter(ts.isPropertySignature).filter((member) => !jsDoc(member).includes('@internal'));
  const parents = (node.heritageClauses ?? []).flatMap((clause) => clause.types.map((type) => type.expression.getText()));
  return [
    ...own.map(property),
    // TypeScript's own helpers (`Omit<…>`) are declared nowhere here
    ...parents.flatMap((name) => {
      const file = name === 'Omit' || name === 'Pick' ? undefined : importedFrom(declaration.file, name);
      return file === undefined ? [] : propertiesOf(declarationIn(file, name));
    }),
  ];
}

function property(member: ts.PropertySignature): Property {
  const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === 'default');
  return {
    name: member.name.getText(),
    type: member.type?.getText().replace(/\s+/g, ' ') ?? '',
    isOptional: member.questionToken !== undefined,
    doc: firstText(member),
    defaultText: tag === undefined ? undefined : (ts.getTextOfJSDocComment(tag.comment) ?? '').replace(/\s+/g, ' ').trim(),
  };
}

/** The declaration of `name` in `file`, or in the file that `file` has it from. */
function declarationIn(file: string, name: string): Declaration {
  const source = parsed(file);
  for (const node of source.statements) {
    const named =
      (ts.isClassDeclaration(node) ||
        ts.isInterfaceDeclaration(node) ||
        ts.isEnumDeclaration(node) ||
        ts.isFunctionDeclaration(node) ||
        ts.isTypeAliasDeclaration(node)) &&
      node.name?.text === name; // prettier-ignore
    const isConstant =
      ts.isVariableStatement(node) && node.declarationList.declarations.some((declared) => declared.name.getText() === name);
    if (named || isConstant) return { name, file, node, doc: firstText(node) };
  }
  const again = reexports(source).find((known) => known.name === name);
  if (again !== undefined) return declarationIn(resolved(file, again.from), name);
  throw new Error(`${file} does not declare ${name}`);
}

function reexports(source: ts.SourceFile): { readonly name: string; readonly from: string }[] {
  return source.statements.filter(ts.isExportDeclaration).flatMap((node) => {
    const { exportClause, moduleSpecifier } = node;
    if (exportClause === undefined || moduleSpecifier === undefined || !ts.isNamedExports(exportClause)) return [];
    const from = (moduleSpecifier as ts.StringLiteral).text;
    return exportClause.elements.map((element) => ({ name: element.name.text, from }));
  });
}

/** The file that declares what `file` calls `name`; undefined for a name of another package. */
function importedFrom(file: string, name: string): string | undefined {
  for (const node of parsed(file).statements) {
    if (!ts.isImportDeclaration(node)) continue;
    const names = node.importClause?.namedBindings;
    if (names === undefined || !ts.isNamedImports(names)) continue;
    if (names.elements.some((element) => element.name.text === name)) {
      const { text } = node.moduleSpecifier as ts.StringLiteral;
      return text.startsWith('.') ? resolved(file, text) : undefined;
    }
  }
  return file;
}

function resolved(file: string, specifier: string): string {
  return `${path.join(path.dirname(file), specifier)}.ts`;
}

function parsed(file: string): ts.SourceFile {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  sources.set(file, source);
  return source;
}

function firstText(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const last = docs[docs.length - 1];
  return last === undefined ? '' : (ts.getTextOfJSDocComment(last.comment) ?? '').replace(/\s+/g, ' ').trim();
}

function jsDoc(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => doc.getText())
    .join('\n'); // prettier-ignore
}
