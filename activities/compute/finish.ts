import { readFile, writeFile } from 'node:fs/promises';
import type { Finish, FinishSpec } from '../../core/finish.ts';
import { MlError } from '../../core/errors.ts';
import { sitExam } from '../../onnx/examine.ts';
import { finishModel } from '../../onnx/finish-model.ts';
import { openExam, type ExamineContext, type ExamineInput } from './examine.ts';

/** `onnxPath` and `preprocessor` are of a model that was not fitted on the validation rows. */
export interface FinishInput extends Pick<ExamineInput, 'task' | 'scratch' | 'files' | 'preprocessor' | 'exam' | 'onnxPath'> {
  readonly asked: FinishSpec;
  /** The model that gets what was learned, and where it goes with it. */
  readonly modelPath: string;
  readonly finishedPath: string;
}

/** Learns from the validation rows what the spec asks besides the answer, and puts it behind a model. */
export async function finish(input: FinishInput, context: ExamineContext): Promise<Finish> {
  const { task, known, request, exam, session } = await openExam({ ...input, heldOut: 'validation' }, context);
  try {
    if (task.finish === undefined) throw new MlError('Bug', `a spec of task "${task.kind}" asks for nothing besides the answer`);
    const answers = await sitExam(session, task, exam, { signal: context.signal, onProgress: context.progress, ...request });
    const learned = task.finish.learn(input.asked, task.mark(exam, answers, known));
    await writeFile(input.finishedPath, finishModel(await readFile(input.modelPath), learned));
    return learned;
  } finally {
    await session.release();
  }
}
