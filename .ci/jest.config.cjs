// Run by `npm test`. Tests that start real programs live in test/integration and test/conformance.
module.exports = {
  rootDir: '..',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/consumer/fixture/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.cache/'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true }, module: { type: 'commonjs' } }],
  },
  testEnvironment: 'node',
  maxWorkers: 2,
  // a busy machine is no failure
  testTimeout: 120_000,
};
