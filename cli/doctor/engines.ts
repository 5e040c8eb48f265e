import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duckdbVersion, withDuckdb } from '../../data/duckdb.ts';
import { openSession, runtimeVersion } from '../../onnx/session.ts';
import { float32, model, node } from '../../onnx/writer.ts';
import type { Check } from './finding.ts';

export const duckdb: Check = {
  of: 'duckdb',
  async look() {
    const scratch = await mkdtemp(join(tmpdir(), 'perennial-doctor-'));
    try {
      const { sum } = await withDuckdb({}, { signal: new AbortController().signal, scratch }, (db) =>
        db.row('SELECT sum(range) AS sum FROM range(1000)'),
      );
      const right = Number(sum) === 499_500;
      return [{ of: 'duckdb', state: right ? 'well' : 'ill', found: `${duckdbVersion}, locked down${right ? '' : ': it adds up wrongly'}` }];
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
};

export const onnx: Check = {
  of: 'onnx',
  async look() {
    const session = await openSession(
      model({
        name: 'doctor',
        inputs: [{ name: 'x', type: 'float32', dims: [2] }],
        outputs: [{ name: 'y', type: 'float32', dims: [2] }],
        initializers: [float32('two', [2, 2])],
        nodes: [node('Mul', ['x', 'two'], 'y')],
      }),
    );
    try {
      const { y } = await session.run({ x: { type: 'float32', dims: [2], data: Float32Array.of(1, 2.5) } });
      const right = y?.data[0] === 2 && y.data[1] === 5;
      return [{ of: 'onnx', state: right ? 'well' : 'ill', found: `ONNX Runtime ${runtimeVersion}${right ? '' : ': it multiplies wrongly'}` }];
    } finally {
      await session.release();
    }
  },
};
