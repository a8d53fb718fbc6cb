/** @jest-config-loader esbuild-register */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from 'jest';

const STAMP = join(process.cwd(), 'dist', 'packages', '.stamp.json');
/** The packages that tools/bundle.mjs made one file each: as single files they would be loaded anew, two thousand of them, for every test file. */
const bundled = existsSync(STAMP) ? (JSON.parse(readFileSync(STAMP, 'utf8')) as { names: string[] }).names : [];

/**
 * One configuration for every tier; the tier is the file's suffix:
 * `.spec.ts` beside its file, `.e2e-spec.ts` for a whole service or the whole system.
 * Run through `npm test`, which brings Postgres and Redis; never call jest bare.
 */
const config: Config = {
  rootDir: '.',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools', '<rootDir>/e2e'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  testRegex: '.*\\.(spec|e2e-spec)\\.ts$',
  // Longer than a wait of `eventually`, which says what it waited for.
  testTimeout: 60_000,
  testSequencer: '<rootDir>/tools/longest-first.mjs',
  // Packages that are ESM only while CommonJS packages require() them: Jest before Node 24.9 cannot require(esm).
  transformIgnorePatterns: ['/node_modules/(?!(.*/)?(cookie|content-disposition)/)'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', {}],
    '/node_modules/(.*/)?(cookie|content-disposition)/.+\\.js$': [
      '@swc/jest',
      { swcrc: false, jsc: { target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: {
    '^#libs/(.*)$': '<rootDir>/libs/$1/src/index.ts',
    [`^(${bundled.join('|')})$`]: '<rootDir>/dist/packages/$1.mjs',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};

export default config;
