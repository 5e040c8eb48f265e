/** Test files go through SWC; everything that runs in its own process or bundle is compiled first (scripts/build.mjs). */
export default {
  testEnvironment: './test/support/environment.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  // For a machine ten times slower than ours: no test waits for this.
  testTimeout: 180_000,
};
