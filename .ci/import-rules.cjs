// Who may import whom (docs/architecture.md). Run by `npm run lint`.
const only = (name, comment, from, to, extra = {}) => ({ name, comment, severity: 'error', from: { path: from, ...extra.from }, to: { path: to, ...extra.to } });

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('shared-stands-alone', 'src/shared is imported by all and imports nothing of the project', '^src/shared/', '^(src/(?!shared/)|imports/)'),
    only('picker-config-is-shared', 'constructs and picker agree through it, so it imports neither', '^src/picker-config/', '^(src/(?!picker-config/|shared/)|imports/)'),
    only('picker-is-alone', 'the picker runs without cdk8s', '^src/picker/', '^(src/(constructs|implementations|validation|cli|simulation)/|imports/|node_modules/(cdk8s|constructs|cdk8s-plus-28|ajv)/)'),
    only('constructs-not-picker', 'the library does not load the picker', '^src/(constructs|implementations)/', '^src/(picker|simulation|cli)/'),
    only('constructs-validation-rules-only', 'constructs run plain rules, never ajv or CEL', '^src/constructs/', '^src/validation/(?!rules/)'),
    only('implementations-not-constructs', 'an implementation turns a plan into objects', '^src/implementations/', '^src/(constructs|validation)/'),
    only('validation-any-yaml', 'validation works on YAML that anyone wrote', '^src/validation/', '^src/(constructs|implementations|picker|simulation|cli)/'),
    only('simulation-no-io', 'simulation uses the picker\'s decisions, never its input and output', '^src/simulation/', '^src/picker/(?!scheduling/|datastore/|flow-control/|tokens/|openai/)'),
    only('cli-runs-the-picker', 'the CLI starts the picker as a program; it shares its scheduler, what explains its decisions, and the codec of ext_proc for the proxy that stands in for Envoy', '^src/cli/', '^src/picker/(?!scheduling/|explain/|ext-proc/(wire-|processing-))'),
    only('testing-is-for-users', 'the test kit is for tests of users', '^src/(?!testing/)', '^src/testing/'),
    only('only-main-composes', 'nothing imports the composition root', '^src/', '^src/picker/main\\.ts$'),
    only('kubernetes-client-behind-adapter', 'only src/picker/kube may load the Kubernetes client', '^src/(?!picker/kube/)', '^node_modules/@kubernetes/client-node'),
    only('src-not-tests', 'shipped code does not import tests or examples', '^src/', '^(test|examples)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default'], extensions: ['.ts', '.js', '.json'] },
  },
};
