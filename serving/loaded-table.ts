import type { TableEncoding } from '../core/encoding.ts';
import type { Task, TaskTypes } from '../core/task.ts';
import type { TableKind } from '../core/tasks/table-exam.ts';
import type { Session } from '../onnx/session.ts';
import { columnOf, invalidRow } from './request-values.ts';
import type { Prediction, RequestRow } from './served-model.ts';

/** How a model of a table answers many rows in one run. */
export type AnswersTogether = NonNullable<Task<TableKind>['together']>;

/** Answers rows with a model of a table, in their order. What is left away or `null` is missing. */
export const predictor =
  ({ most, feeds, answers }: AnswersTogether, { inputs, classes }: TableEncoding, session: Session) =>
  async (rows: readonly RequestRow[]): Promise<readonly Prediction[]> => {
    const names = new Set(inputs.map(({ name }) => name));
    const predictions: Prediction[] = [];
    for (let from = 0; from < rows.length; from += most) {
      const asked = rows.slice(from, from + most);
      for (const [at, row] of asked.entries()) {
        const unknown = Object.keys(row).find((name) => !names.has(name));
        if (unknown !== undefined) throw invalidRow(from + at, `there is no input "${unknown}"; there are ${[...names].join(', ')}`);
      }
      const raw = inputs.map(({ name, kind }) => columnOf(kind, name, asked, from));
      const outputs = await session.run(feeds(asked.map((_, at) => ({ table: { inputs, raw }, at }))));
      predictions.push(...answers(outputs).map((answer) => inWords(answer, classes)));
    }
    return predictions;
  };

type Answered = TaskTypes[TableKind]['answer'];

function inWords(answer: Answered, classes: readonly string[] | undefined): Prediction {
  if (isList(answer)) return { probabilities: Object.fromEntries(classes!.map((name, at) => [name, answer[at]!])) };
  if (typeof answer === 'number') return classes === undefined ? { prediction: answer } : { probability: answer };
  if ('prediction' in answer) return { prediction: answer.prediction, interval: [answer.lower, answer.upper] };
  const { probability, positive } = answer;
  return { probability, ...(positive !== undefined && { positive }) };
}

const isList = (answer: Answered): answer is readonly number[] => Array.isArray(answer);
