import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MlError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import type { PythonSettings, ScriptFiles, TrainScript } from '../../core/train-script.ts';
import { compiled } from '../compiled.ts';
import { findPython } from './find-python.ts';

/** What the name of a training script's file ends in. */
export const scriptEnding = '.train.py';

const nameOf = (file: string): string => basename(file).slice(0, -scriptEnding.length);

/** The folder of the scripts that we bring. */
const readyFolder = (): string => join(dirname(compiled('trainers/python')), 'python');

/**
 * Training scripts by name: the project's own `<name>.train.py`, of which `own` are the paths, before the ready ones. Beside a script lie its
 * requirements, `requirements-<name>.lock`.
 *
 * @throws {MlError} `ScriptUnknown` names those that there are; `DuplicateName` if two of the project's have the name; `PythonMissing`.
 */
export const openTrainScripts =
  (own: readonly string[], python: PythonSettings) =>
  async (name: string): Promise<TrainScript> => {
    const files = await filesOf(name, own);
    const { version } = await findPython(python.path);
    return { name, files, python: { ...python, version } };
  };

async function filesOf(name: string, own: readonly string[]): Promise<ScriptFiles> {
  const ready = (await readdir(readyFolder())).filter((file) => file.endsWith(scriptEnding)).map((file) => join(readyFolder(), file));
  const [script, other] = own.filter((file) => nameOf(file) === name);
  if (other !== undefined)
    throw new MlError('DuplicateName', `two scripts are called "${name}", ${script} and ${other}: rename one of them`, { name });
  const found = script ?? ready.find((file) => nameOf(file) === name);
  if (found === undefined) {
    const names = [...new Set([...own, ...ready].map(nameOf))].toSorted();
    const meant = nearest(name, names);
    const hint = meant ? ` (did you mean "${meant}"?)` : '';
    throw new MlError('ScriptUnknown', `there is no training script "${name}"${hint} on this worker: there are ${names.join(', ')}`, { name });
  }
  const requirements = join(dirname(found), `requirements-${name}.lock`);
  return { script: found, ...(existsSync(requirements) && { requirements }), helper: join(readyFolder(), 'perennial_trainer.py') };
}
