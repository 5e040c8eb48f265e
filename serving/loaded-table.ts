import type { InputKind, TableEncoding } from '../core/encoding.ts';
import { missingInteger } from '../core/encoding.ts';
import { MlError } from '../core/errors.ts';
import type { RawColumn } from '../core/examples.ts';
import type { TaskKind } from '../core/task.ts';
import { feedsTogether, rowsTogether } from '../core/tasks/table-exam.ts';
import { taskOf } from '../core/tasks/index.ts';
import type { Session } from '../onnx/session.ts';
import type { Prediction, RequestRow } from './served-model.ts';

/** Answers rows with a model of a table: in their order. */
export type Predict = (rows: readonly RequestRow[]) => Promise<readonly Prediction[]>;

/**
 * The way from rows as callers write them to answers. What is left away or `null` is missing.
 *
 * @throws {MlError} `RequestInvalid` for what is no value of its input, and for names that the model does not know.
 */
export function predictor(kind: TaskKind, { inputs, classes }: TableEncoding, session: Session): Predict {
  const { together } = taskOf(kind as 'binary');
  const names = new Set(inputs.map(({ name }) => name));
  return async (rows) => {
    const predictions: Prediction[] = [];
    for (let from = 0; from < rows.length; from += rowsTogether) {
      const asked = rows.slice(from, from + rowsTogether);
      for (const [at, row] of asked.entries()) {
        const unknown = Object.keys(row).find((name) => !names.has(name));
        if (unknown !== undefined) throw invalid(from + at, `there is no input "${unknown}"; there are ${[...names].join(', ')}`);
      }
      const raw = inputs.map(({ name, kind: input }) => columnOf(input, name, asked, from));
      const outputs = await session.run(feedsTogether(asked.map((_, at) => ({ table: { inputs, raw }, at }))));
      predictions.push(...together!.answers(outputs).map((answer) => wordsOf(answer, classes)));
    }
    return predictions;
  };
}

function wordsOf(answer: number | readonly number[], classes: readonly string[] | undefined): Prediction {
  if (classes === undefined) return { prediction: answer as number };
  if (typeof answer === 'number') return { probability: answer };
  return { probabilities: Object.fromEntries(classes.map((name, at) => [name, answer[at]!])) };
}

const invalid = (row: number, what: string): MlError => new MlError('RequestInvalid', `row ${row}: ${what}`, { row });

function columnOf(kind: InputKind, name: string, rows: readonly RequestRow[], from: number): RawColumn {
  const read = <T>(as: (value: NonNullable<RequestRow[string]>) => T | undefined, missing: T, wanted: string): T[] =>
    rows.map((row, at) => {
      const value = row[name];
      if (value === undefined || value === null) return missing;
      const found = as(value);
      if (found === undefined) throw invalid(from + at, `"${name}" is ${JSON.stringify(value)}: give ${wanted}`);
      return found;
    });
  switch (kind) {
    case 'number':
      return { kind, values: Float64Array.from(read((value) => (typeof value === 'number' ? value : undefined), Number.NaN, 'a number')) };
    case 'integer':
      return {
        kind,
        values: BigInt64Array.from(read((value) => (Number.isSafeInteger(value) ? BigInt(value) : undefined), missingInteger, 'a whole number')),
      };
    case 'time':
      return { kind, values: BigInt64Array.from(read(instantOf, missingInteger, 'an instant such as "2026-03-29T18:30:00Z"')) };
    case 'flag':
      return { kind, values: Uint8Array.from(read((value) => (typeof value === 'boolean' ? Number(value) : undefined), 0, 'true or false')) };
    case 'category':
      return { kind, values: read((value) => (typeof value === 'string' ? value : undefined), '', 'text') };
  }
}

function instantOf(value: string | number | boolean): bigint | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : BigInt(ms);
}
