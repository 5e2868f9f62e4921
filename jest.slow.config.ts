// The slow suite (`npm run test:slow`): one file after the other, since each wants the machine for itself.
import type { Config } from 'jest';
import quick from './jest.config.ts';

const config: Config = {
  ...quick,
  testMatch: ['<rootDir>/test/slow/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 1_800_000,
  maxWorkers: 1,
};
export default config;
