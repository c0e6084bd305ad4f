import path from 'node:path';
import * as cdk8s from 'cdk8s';
import ts from 'typescript';
import { type Fence, ROOT } from './pages';
import { publicExports } from './public-api';

/** What a snippet may use without saying where it comes from: the objects that the text around it speaks of. */
const AMBIENT: { readonly [name: string]: string } = {
  app: 'const app = new App();',
  chart: "const chart = new Chart(app, 'llm', { namespace: 'ai-inference' });",
  llama: `const llama = new VllmBackend(chart, 'llama', {
  model: ModelSource.huggingFace('meta-llama/Llama-3.3-70B-Instruct'),
  accelerator: Accelerator.nvidia('H100', { count: 4 }),
  maxModelLengthTokens: 8192,
});`,
  pool: "const pool = new InferencePool(chart, 'pool', { backend: llama });",
  otherPool: "const otherPool = new InferencePool(chart, 'other-pool', { selector: { app: 'other' } });",
  gateway: "const gateway = new AiGateway(chart, 'gateway', { implementation: GatewayImplementation.envoyGateway() });",
};

const LIBRARY = 'cdk8s-ai-gateway';
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  types: ['node'],
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  esModuleInterop: true,
  skipLibCheck: true,
  noEmit: true,
  paths: {
    [LIBRARY]: [path.join(ROOT, 'src/index.ts')],
    [`${LIBRARY}/scheduling`]: [path.join(ROOT, 'src/picker/scheduling/interface/index.ts')],
    [`${LIBRARY}/testing`]: [path.join(ROOT, 'src/testing/index.ts')],
    [`${LIBRARY}/validation`]: [path.join(ROOT, 'src/validation/index.ts')],
  },
};

/** The snippet as a module of its own: with imports of what it uses, and with the ambient objects. */
export function asModule({ text }: Fence): string {
  const added = new Set<string>();
  const withAdded = (): string => `${ambient(added)}\n${text}`;
  for (let missing = nextAmbient(text, added); missing !== undefined; missing = nextAmbient(withAdded(), added))
    added.add(missing);
  // after the imports that the snippet has itself
  const imports = missingImports(withAdded());
  const end = lastImportEnd(text);
  return `${imports}${text.slice(0, end)}\n${ambient(added)}\n${text.slice(end)}\nexport {};\n`;
}

/** What the compiler says of each module; the messages name the place in the page. */
export function compileAll(modules: readonly { readonly place: string; readonly code: string }[]): string[] {
  const folder = path.join(ROOT, 'test/docs');
  const files = new Map(modules.map(({ code }, index) => [path.join(folder, `snippet-${index}.ts`), code]));
  const host = ts.createCompilerHost(OPTIONS, true);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...more) =>
    files.has(name) ? ts.createSourceFile(name, files.get(name)!, version, true) : getSourceFile(name, version, ...more);
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  return [...files.keys()].flatMap((name, index) => {
    const source = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start }) => {
      const line = source.text.slice(0, start).split('\n').length;
      const shown = source.text.split('\n')[line - 1]!.trim();
      return `${modules[index]!.place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} [${shown}]`;
    });
  });
}

/** Runs a module and returns the app that it made, not yet synthesized unless it did so itself. */
export function run(code: string, outputFolder: string): cdk8s.App {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
  });
  const before = process.env['CDK8S_OUTDIR'];
  process.env['CDK8S_OUTDIR'] = outputFolder;
  try {
    const load = (name: string): unknown => (name === LIBRARY ? require('../../../src') : require(name));
    return new Function('require', 'exports', `${outputText}\nreturn app;`)(load, {});
  } finally {
    if (before === undefined) delete process.env['CDK8S_OUTDIR'];
    else process.env['CDK8S_OUTDIR'] = before;
  }
}

/** In the order in which they use each other. */
function ambient(names: ReadonlySet<string>): string {
  return Object.entries(AMBIENT)
    .filter(([name]) => names.has(name))
    .map(([, declaration]) => declaration)
    .join('\n');
}

function nextAmbient(code: string, known: ReadonlySet<string>): string | undefined {
  const { used, declared } = namesIn(code);
  return Object.keys(AMBIENT).find((name) => used.has(name) && !declared.has(name) && !known.has(name));
}

function missingImports(code: string): string {
  const { used, declared } = namesIn(code);
  const from = (names: readonly string[], module: string): string => {
    const needed = names.filter((name) => used.has(name) && !declared.has(name));
    return needed.length === 0 ? '' : `import { ${needed.join(', ')} } from '${module}';\n`;
  };
  return (
    from(Object.keys(cdk8s), 'cdk8s') +
    from(
      publicExports().map(({ name }) => name),
      LIBRARY,
    )
  ); // prettier-ignore
}

function namesIn(code: string): { readonly used: ReadonlySet<string>; readonly declared: ReadonlySet<string> } {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
      const isKey = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
      const declares =
        (ts.isVariableDeclaration(parent) ||
          ts.isClassDeclaration(parent) ||
          ts.isFunctionDeclaration(parent) ||
          ts.isParameter(parent)) &&
        parent.name === node;
      if (declares || ts.isImportSpecifier(parent)) declared.add(node.text);
      else if (!isMember && !isKey) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.ES2022, true));
  return { used, declared };
}

function lastImportEnd(text: string): number {
  const source = ts.createSourceFile('snippet.ts', text, ts.ScriptTarget.ES2022, true);
  return Math.max(0, ...source.statements.filter(ts.isImportDeclaration).map((node) => node.getEnd()));
}
