// How the suite runs: ESM, types stripped by jest itself (no transformer), one Redis for all files.
import { availableParallelism } from 'node:os';
import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/packages/simulator/src', '<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/slow/'],
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/test/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/test/helpers/global-teardown.ts',
  collectCoverageFrom: ['src/**/*.ts', 'packages/simulator/src/**/*.ts'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'lcovonly'],
  testTimeout: 300_000,
  // Most tests wait for real servers and real delays: three files for each core keep it busy. Each
  // takes some 300 MB.
  maxWorkers: Math.min(12, 3 * availableParallelism()),
  // A worker's last event comes within 10 ms of the end. Its process then gives back a heap of 500 MB,
  // which takes longer than jest's 500 ms. A handle that a test leaves open is still reported.
  workerGracefulExitTimeout: 10_000,
  testSequencer: '<rootDir>/test/helpers/longest-first.mjs',
  // Tests that run side by side within a file wait even more.
  maxConcurrency: 10,
};
export default config;
