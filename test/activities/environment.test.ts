import { expect, test } from '@jest/globals';
import { composePackage } from '../../activities/compose-package.ts';
import type { Ports, Step } from '../../activities/ports.ts';
import { predictModel } from '../../activities/predict-model.ts';
import { trainModel } from '../../activities/train-model.ts';
import type { Provenance } from '../../core/artifact.ts';
import { duckdbVersion } from '../../data/duckdb.ts';
import { called } from '../workflows/deliveries.ts';
import { contextOf } from '../data/scratch.ts';

/** What a step says it is made by, up to where it asks whether that was made already. */
async function recipeOf(step: (ports: Ports) => Step<never, unknown>): Promise<Provenance | undefined> {
  let asked: Provenance | undefined;
  const find = (_kind: string, by: Provenance) => ((asked = by), Promise.reject(new Error('it was asked')));
  const ports = { codeDigest: (module: string) => module, artifacts: { find } } as unknown as Ports;
  const part = { sha256: 'a'.repeat(64) };
  const input = {
    ...{ spec: called, specArtifact: part, segment: 'all', window: { from: '2025-01-01', to: '2025-02-01' }, rows: part, split: part },
    ...{ model: part, preprocessor: part, learner: { model: part, preprocessor: part }, known: ['train'], parts: ['train'], fold: 'all' },
    ...{ validateOn: null, candidate: called.train[0], chosen: called.train[0], trainer: 'gbdt', parameters: {}, seed: 1, snapshots: {} },
    ...{ evaluation: part, golden: part, tried: [], refit: true, examined: part, contract: part, profile: part },
  };
  await expect(step(ports)(input as never, { ...contextOf(), heartbeat: () => {} } as never)).rejects.toThrow('it was asked');
  return asked;
}

test.each([
  ['trainModel', trainModel],
  ['predictModel', predictModel],
  ['composePackage', composePackage],
] as const)('%s names the DuckDB that reads its rows, so that another one makes its content anew', async (name, step) => {
  expect(await recipeOf(step)).toMatchObject({ step: name, environment: { duckdb: duckdbVersion } });
});
