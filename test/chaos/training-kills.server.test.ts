import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { compiled } from '../../workers/compiled.ts';
import type { KilledTrainer } from './kill-trainer.ts';

/** The long version kills each trainer twenty times. */
const seed = '1';
const only = ['gbdt', 'implicit-als', 'linear'];

test('a training whose process is killed with -9 goes on where it was, and ends with the same bytes', async () => {
  const args = [compiled('test/chaos/training-kills'), '--kills', '2', '--seed', seed, '--only', only.join(','), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const killed = JSON.parse(stdout) as readonly KilledTrainer[];
  expect(killed.map(({ name, kills, broken }) => ({ name, kills, broken }))).toEqual(only.map((name) => ({ name, kills: 2, broken: undefined })));
  // What is killed before its first checkpoint begins again: not all six are.
  expect(killed.reduce((sum, { resumed }) => sum + resumed, 0)).toBeGreaterThan(0);
}, 600_000);
