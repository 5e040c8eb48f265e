import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Exam } from '../../core/task.ts';
import { recommendation, signature } from '../../core/tasks/recommendation.ts';
import type { RecommendationQuestion } from '../../core/tasks/recommendation.ts';
import { benchmark } from '../../onnx/benchmark.ts';
import { checkGolden, makeGolden, sitExam } from '../../onnx/examine.ts';
import { openSession } from '../../onnx/session.ts';
import type { Session } from '../../onnx/session.ts';
import { float32, int64, model, node, strings } from '../../onnx/writer.ts';
import type { Model } from '../../onnx/writer.ts';

/** Recommends the neighbours of what was liked; `scale` makes a slightly different model. */
const neighbours = (scale = 1): Model => ({
  ...signature,
  initializers: [
    float32(
      'weights',
      [0, 3, 1, 3, 0, 2, 1, 2, 0].map((weight) => weight * scale),
      [3, 3],
    ),
    int64('first', [0]),
  ],
  nodes: [node('Gather', ['weights', 'items'], 'rows', { axis: 0 }), node('ReduceSum', ['rows', 'first'], 'scores', { keepdims: 0 })],
});

/** The rule that recommends item 1 alone, for all that it is asked. */
const rule: Model = { ...signature, initializers: [float32('rule', [-Infinity, 1, NaN])], nodes: [node('Identity', ['rule'], 'scores')] };

const question = (unit: string, items: readonly number[]): RecommendationQuestion => ({
  unit,
  items,
  values: items.map(() => 5),
  agesDays: items.map(() => 1),
  exclude: items,
  relevant: [],
});

const questions = [question('new', []), question('ann', [0]), question('bob', [2, 1])];
const exam: Exam<RecommendationQuestion> = { units: questions.map(({ unit }) => unit), questions, slices: {} };
const feeds = questions.map((each) => recommendation.feeds(each));

const sessions: Session[] = [];
afterAll(() => Promise.all(sessions.map((session) => session.release())));

async function open(from: Model): Promise<Session> {
  const session = await openSession(model(from));
  sessions.push(session);
  return session;
}

describe('sitting an exam', () => {
  test('a model that gives another number of answers than it was asked for is refused, not asked forever', async () => {
    const one = { ...recommendation, together: { most: 2, feeds: () => feeds[0]!, answers: () => [] } };
    await expect(sitExam(await open(neighbours()), one, exam)).rejects.toThrow('the model gave 0 answers to 2 questions');
  });

  test('answers every question in order, the newcomer’s too', async () => {
    expect(await sitExam(await open(neighbours()), recommendation, exam)).toEqual([
      { items: [0, 1, 2], scores: [0, 0, 0] },
      { items: [1, 2], scores: [3, 1] },
      { items: [0], scores: [4] },
    ]);
  });

  test('gives a rule’s short list, and nothing to who knows all of it', async () => {
    const answers = await sitExam(await open(rule), recommendation, exam);
    expect(answers.map(({ items }) => items)).toEqual([[1], [1], []]);
  });

  test('tells how far it is, and stops when it is cancelled', async () => {
    const session = await open(neighbours());
    const long = { ...exam, questions: Array.from({ length: 200 }, () => questions[1]!) };
    const seen: number[] = [];
    await sitExam(session, recommendation, long, { onProgress: (done) => void seen.push(done) });
    expect(seen).toEqual([64, 128, 192, 200]);
    const controller = new AbortController();
    const cancelled = sitExam(session, recommendation, long, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'Cancelled', message: expect.stringContaining('64 of 200') as unknown });
  });

  test.each([
    ['lacks an input', { ...rule, inputs: signature.inputs.slice(1) }, /no input "items" int64\[-1\]/],
    ['wants more', { ...rule, inputs: [...signature.inputs, { name: 'mood', type: 'float32', dims: [-1] }] }, /also wants "mood"/],
    ['has another type', { ...rule, inputs: [{ name: 'items', type: 'float32', dims: [-1] }, ...signature.inputs.slice(1)] }, /no input "items"/],
    [
      'gives something else',
      {
        ...rule,
        outputs: [{ name: 'best', type: 'string', dims: [-1] }],
        nodes: [node('Identity', ['names'], 'best')],
        initializers: [strings('names', ['a'])],
      },
      /no output "scores"/,
    ],
  ] as const)('refuses a model that %s', async (_, from, why) => {
    const sitting = sitExam(await open(from as Model), recommendation, exam);
    await expect(sitting).rejects.toThrow(why);
    await expect(sitting).rejects.toMatchObject({ code: 'ModelInvalid' });
  });
});

describe('golden examples', () => {
  let session: Session;
  beforeAll(async () => {
    session = await open(neighbours());
  });

  test('survive JSON, infinities included, and are reproduced by the same model', async () => {
    const golden = JSON.parse(JSON.stringify(await makeGolden(await open(rule), feeds))) as Awaited<ReturnType<typeof makeGolden>>;
    expect(golden.requests).toHaveLength(3);
    expect(golden.requests[1]!.feeds['items']).toEqual({ type: 'int64', dims: [1], values: ['0'] });
    expect(golden.requests[0]!.outputs['scores']).toEqual({ type: 'float32', dims: [3], values: ['-Infinity', 1, 'NaN'] });
    await checkGolden(await open(rule), golden, 0);
  });

  test('are broken by a model that answers otherwise, but not by the last digit', async () => {
    const golden = await makeGolden(session, feeds);
    await checkGolden(await open(neighbours(1 + 1e-6)), golden, 1e-5);
    const broken = checkGolden(await open(neighbours(1.001)), golden, 1e-5);
    await expect(broken).rejects.toMatchObject({
      code: 'ParityBroken',
      message: expect.stringMatching(/example 1: "scores" at 1 is 3\.00\d*, expected 3\./) as unknown,
    });
    await expect(checkGolden(await open(rule), golden, 1e-5)).rejects.toMatchObject({ code: 'ParityBroken' });
  });

  test('that do not fit their model are an invalid package', async () => {
    const { requests } = await makeGolden(session, feeds);
    const { items: _, ...others } = requests[0]!.feeds;
    await expect(checkGolden(session, { requests: [{ ...requests[0]!, feeds: others }] }, 0)).rejects.toMatchObject({ code: 'PackageInvalid' });
    const outputs = { best: requests[0]!.outputs['scores']! };
    await expect(checkGolden(session, { requests: [{ ...requests[0]!, outputs }] }, 0)).rejects.toMatchObject({ code: 'PackageInvalid' });
  });
});

describe('a benchmark', () => {
  test('times requests, slow ones above the usual', async () => {
    const { p50Ms, p99Ms, requests } = await benchmark(await open(neighbours()), feeds, { requests: 100 });
    expect(requests).toBe(100);
    expect(p50Ms).toBeGreaterThan(0);
    expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
  });

  test('needs a request, and stops when it is cancelled', async () => {
    const session = await open(neighbours());
    await expect(benchmark(session, [])).rejects.toMatchObject({ code: 'DatasetInvalid' });
    await expect(benchmark(session, feeds, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'Cancelled' });
  });
});
