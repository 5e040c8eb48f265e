import { fitBest, fitOn, known, prepare, steps } from 'perennial-ml/workflow';
import type { ModelSpec } from 'perennial-ml';

export interface CompareProtocolsRequest {
  readonly spec: ModelSpec;
  /** Ways to hold rows out, by name, each with the trainers that compete; the first one is the challenger, from which gains are counted. */
  readonly protocols: Readonly<
    Record<string, { readonly split: ModelSpec['split']; readonly contenders: Readonly<Record<string, ModelSpec['train']>> }>
  >;
}

/**
 * The same trainers under several protocols, since each hides something: `last-5` has other users' later ratings in its training rows, a rolling
 * origin has few users. Registers nothing. Like `train` it chooses on validation rows only.
 */
export async function compareProtocols({
  spec,
  protocols,
}: CompareProtocolsRequest): Promise<{ readonly evaluations: Readonly<Record<string, string>> }> {
  const evaluations: Record<string, string> = {};
  for (const [name, { split, contenders }] of Object.entries(protocols)) {
    evaluations[name] = await underProtocol({ ...spec, split }, contenders);
  }
  return { evaluations };
}

async function underProtocol(spec: ModelSpec, contenders: Readonly<Record<string, ModelSpec['train']>>): Promise<string> {
  const data = await prepare(spec, 'all');
  const { baselines } = await steps.findContenders({ spec, segment: 'all', seen: { rows: data.rows, splits: [] }, examined: null });
  const [challenger] = Object.keys(contenders);

  const marks = await Promise.all(
    data.folds.map(async (fold) => {
      const sit = (contender: string, fitted: Pick<Parameters<typeof steps.predictModel>[0], 'model' | 'preprocessor'>) =>
        steps.predictModel({ spec, rows: data.rows, split: fold.split, fold: fold.name, known, contender, ...fitted });
      const learned = Object.entries(contenders).map(async ([name, train]) => {
        const { examined, preprocessor } = await fitBest({ ...spec, train }, data, fold);
        return sit(name, { model: examined, preprocessor });
      });
      const obvious = baselines.map(async ({ name, trainer, parameters }) => {
        const { model, preprocessor } = await fitOn({ spec, data, split: fold.split, parts: known, trainer, parameters });
        return sit(name, { model, preprocessor });
      });
      return Promise.all([...learned, ...obvious]);
    }),
  );

  const names = [...Object.keys(contenders), ...baselines.map(({ name }) => name)];
  const evaluation = await steps.evaluateModel({
    spec,
    segment: 'all',
    folds: data.folds.map(({ name }) => name),
    contenders: Object.fromEntries(names.map((name, index) => [name === challenger ? 'challenger' : name, marks.map((fold) => fold[index]!)])),
    rowsLeftOut: 0,
  });
  return evaluation.sha256;
}
