import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, Json } from '../core/artifact.ts';
import type { Evaluation } from '../core/evaluation.ts';
import { metricsOf } from '../core/finish.ts';
import type { Window } from '../core/manifest.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import type { Verdict } from '../core/registry-entry.ts';
import { taskOf } from '../core/tasks/index.ts';
import { renderReport } from '../report/report.ts';
import type { Origin, ReportInput } from '../report/report.ts';
import type { ValidatedCandidate } from './choose-model.ts';
import { makeArtifact, readJson } from './make.ts';
import type { Ports, Step } from './ports.ts';
import type { SplitFold } from './split-rows.ts';
import type { ModelRecord } from './train-model.ts';

export interface WriteReportInput {
  readonly spec: ModelSpec;
  readonly segment: string;
  readonly window: Window;
  readonly rowCount: number;
  /** Rows of each part; of the last fold where there are several. */
  readonly parts: SplitFold['parts'];
  readonly rows: Artifact<'rows'>;
  readonly contract: Artifact<'contract'>;
  readonly profile: Artifact<'profile'>;
  readonly evaluation: Artifact<'evaluation'>;
  readonly verdict: Verdict;
  readonly candidates: readonly ValidatedCandidate[];
  readonly chosen: number;
  readonly pack: Artifact<'package'>;
  /** By contender the model that sat the exam, so that the report can say what each is. */
  readonly models?: Readonly<Record<string, Artifact<'model'>>>;
}

/** One self-contained page about a version: the verdict, the figures it rests on, and what it was made from. */
export const writeReport =
  (ports: Ports): Step<WriteReportInput, Artifact<'report'>> =>
  async (input, context) => {
    const { spec, segment, window, verdict, candidates, chosen } = input;
    const { contract, profile, evaluation, pack, rows, models = {} } = input;
    const best = candidates[chosen]!;
    const inputs = Object.fromEntries(
      Object.entries({ contract, profile, evaluation, package: pack, model: best.model }).map(([name, { sha256 }]) => [name, sha256]),
    );
    for (const [name, { sha256 }] of Object.entries(models)) inputs[`model of ${name}`] = sha256;
    const parameters = JSON.parse(JSON.stringify({ verdict, segment, window, candidates, chosen, rows: input.rowCount, parts: input.parts })) as Json;
    const recipe = { step: 'writeReport', code: ['activities/write-report'], inputs, parameters, mediaType: 'text/html; charset=utf-8' };
    return makeArtifact(ports, context, 'report', recipe, async () => {
      const record = await readJson<ModelRecord>(ports, best.model);
      const metrics = metricsOf(taskOf(spec.task), spec);
      const { words } = taskOf(spec.task);
      const records = await Promise.all(
        Object.entries(models).map(async ([name, model]) => [name, await readJson<ModelRecord>(ports, model)] as const),
      );
      const html = await renderReport({
        model: spec.name,
        segment,
        task: spec.task,
        words: { ...words, does: words.does(spec.target as never) },
        window,
        trainer: { name: best.trainer, parameters: best.parameters },
        evaluation: await readJson<Evaluation>(ports, evaluation),
        verdict,
        metrics: Object.fromEntries(Object.entries(metrics).map(([name, { title, better }]) => [name, { title, better }])),
        candidates: candidates.flatMap(({ trainer, parameters: tried, validation }, index) =>
          validation === null ? [] : [{ trainer, parameters: tried, value: validation, chosen: index === chosen }],
        ),
        curve: record.curve,
        floors: spec.gate?.floors ?? [],
        split: spec.split,
        refit: spec.refit ?? 'all',
        rows: { rows: input.rowCount, ...input.parts },
        profile: await readJson<Json>(ports, profile),
        contract: await readJson<Json>(ports, contract),
        who: Object.fromEntries(records.map(([name, { trainer, chosen, facts }]) => [name, { trainer, parameters: chosen, ...toldIn(facts) }])),
        ...(spec.intendedUse !== undefined && { intendedUse: spec.intendedUse }),
        ...(spec.rows.group !== undefined && { group: spec.rows.group }),
        // Of the model that sat the exam, fitted with the validation rows, too; else of the candidate that was chosen.
        ...importanceIn({ ...record.facts, ...records.find(([name]) => name === 'challenger')?.[1].facts }),
        lineage: { rows: rows.sha256, package: pack.sha256, evaluation: evaluation.sha256 },
      });
      const path = join(context.scratch, 'report.html');
      await writeFile(path, html);
      return { path };
    });
  };

/** What a trainer says of a model in a line (`Fitted.facts`). */
const toldIn = ({ summary }: ModelRecord['facts']): Pick<Origin, 'summary'> => (typeof summary === 'string' ? { summary } : {});

/** By which features a model answers, where its trainer, which may be anybody's script, says it as numbers by name. */
function importanceIn({ importance, importanceBy }: ModelRecord['facts']): Pick<ReportInput, 'importance'> {
  if (typeof importance !== 'object' || importance === null || Array.isArray(importance)) return {};
  const features = Object.entries(importance).filter((each): each is [string, number] => typeof each[1] === 'number' && Number.isFinite(each[1]));
  return { importance: { features: Object.fromEntries(features), ...(typeof importanceBy === 'string' && { by: importanceBy }) } };
}
