#!/usr/bin/env node
// Compares this project's answers with Drupal core's own: npm run conformance -- <folder>
import { build } from './build.mjs';

await build();
const { main } = await import('../dist/tools/conformance/main.js');
process.exitCode = main(process.argv.slice(2), (line) => console.log(line));
