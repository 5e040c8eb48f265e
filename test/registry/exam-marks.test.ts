import { describe, expect, test } from '@jest/globals';
import type { ArtifactKind, MadeRecord } from '../../core/artifact.ts';
import type { VersionState } from '../../core/registry-entry.ts';
import { marksOfBoth } from '../../registry/exam-marks.ts';
import { artifact, registered } from './samples.ts';

const made = (kind: ArtifactKind, content: string, inputs: Readonly<Record<string, string>>): MadeRecord => ({
  provenance: { step: 'step', code: 'c', inputs, parameters: null, environment: {} },
  artifact: artifact(kind, content),
  by: { workflowId: 'train/m/all', runId: '1', workflowType: 'train' },
  at: '2026-01-01T00:00:00.000Z',
  notes: {},
});

const version = (name: string): VersionState => ({ ...registered(name), version: 1, at: '', by: '', run: null, status: 'registered' });
const [a, b] = [version('a'), version('b')];
const sha = (content: string): string => artifact('predictions', content).sha256;

/** An evaluation with what its contenders answered, as `<contender>: <model>`, in two folds. */
const exam = (of: string, contenders: Readonly<Record<string, string>>): MadeRecord[] => [
  made(
    'evaluation',
    `${of} evaluation`,
    Object.fromEntries(Object.keys(contenders).flatMap((name) => [0, 1].map((fold) => [`${name}/${fold}`, sha(`${of} ${name} ${fold}`)]))),
  ),
  ...Object.entries(contenders).flatMap(([name, model]) =>
    [0, 1].map((fold) =>
      made('predictions', `${of} ${name} ${fold}`, { model: artifact('model', fold === 1 ? `${model} examined` : `${model}, earlier`).sha256 }),
    ),
  ),
];
const answers = (of: string, name: string) => ({
  ...{ evaluation: artifact('evaluation', `${of} evaluation`).sha256, name },
  marks: [0, 1].map((fold) => sha(`${of} ${name} ${fold}`)),
});

describe('where two versions sat one exam', () => {
  test('is first that in which one was the champion that the other was judged against', () => {
    const records = [...exam('a', { challenger: 'a', 'one/feature': 'f' }), ...exam('b', { champion: 'a', challenger: 'b' })];
    expect(marksOfBoth(records, a, b)[0]).toEqual([answers('b', 'champion'), answers('b', 'challenger')]);
    expect(marksOfBoth(records, b, a)[0]).toEqual([answers('b', 'challenger'), answers('b', 'champion')]);
  });

  test('else may be their own exams, whose rows are to be compared', () => {
    const records = [...exam('a', { challenger: 'a' }), ...exam('b', { challenger: 'b', champion: 'c' })];
    expect(marksOfBoth(records, a, b)).toEqual([[answers('a', 'challenger'), answers('b', 'challenger')]]);
  });

  test('is nowhere where the records are gone', () => {
    expect(marksOfBoth(exam('a', { challenger: 'a' }), a, b)).toEqual([]);
    expect(marksOfBoth([], a, b)).toEqual([]);
  });
});
