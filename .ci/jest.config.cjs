// Run by `npm test`. Tests that start real programs live in test/integration, test/conformance and test/e2e. Those of test/e2e/full need
// programs that take minutes to build: `npm run e2e:full`.
const full = process.env.E2E === 'full' ? [] : ['<rootDir>/test/e2e/full/'];

module.exports = {
  rootDir: '..',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/consumer/fixture/', ...full],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.cache/'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true }, module: { type: 'commonjs' } }],
  },
  testEnvironment: 'node',
  maxWorkers: 2,
  // a busy machine is no failure
  testTimeout: 120_000,
};
