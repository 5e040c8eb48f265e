/**
 * Writes the reference of what the package exports to `docs/api`, and fails when something exported is not documented. TypeDoc needs the JavaScript API
 * of TypeScript 5, and we have 7, which has none: both come from the registry into npm's cache, at these versions, and never into `node_modules`.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

const tools = ['typedoc@0.28.20', 'typescript@5.9.3'];
const { status } = spawnSync('npx', ['--yes', ...tools.flatMap((tool) => ['--package', tool]), 'typedoc'], {
  cwd: dirname(import.meta.dirname),
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exitCode = status ?? 1;
