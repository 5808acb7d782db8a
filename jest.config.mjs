const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.run'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
};

/** Long tests run only with `npm run test:long`. */
const long = process.env.LONG_TESTS === 'true' ? [] : ['\\.long\\.test\\.ts$'];

/** `unit`: tests without Kubernetes, in parallel. `cluster`: stories on real Kubernetes, with one cluster per worker. */
export default {
  /* Generous, so that tests do not time out on a slow machine. */
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/closing-line.mjs'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/cluster/', ...long],
    },
    {
      ...common,
      displayName: 'cluster',
      testMatch: ['<rootDir>/test/cluster/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...long],
      globalSetup: '<rootDir>/test/cluster/global-setup.mjs',
      globalTeardown: '<rootDir>/test/cluster/global-teardown.mjs',
    },
  ],
};
