import { MlError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { namesText } from './words.ts';

/** The caller asked for what cannot be, whatever the state of the world: exit code 2. */
export class Misuse extends MlError {}

/** Whatever is wrong with what `read` reads from the command line is misuse. */
export function fromArguments<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MlError) throw new Misuse(error.code, error.message, error.facts, { cause: error });
    throw error;
  }
}

export const misuse = (message: string): Misuse => new Misuse('RequestInvalid', message);

/** There is no such model here: the names that there are, by the place where one looked. */
export function unknownModel(model: string, places: Readonly<Record<string, readonly string[]>>): Misuse {
  const known = [...new Set(Object.values(places).flat())];
  const guess = nearest(model, known);
  const there = Object.entries(places).map(([place, names]) => `${place} has ${names.length === 0 ? 'none' : namesText(names)}`);
  if (known.length === 0) there.push('write one, as docs/first-model.md tells, or start with `perennial init`');
  const hint = guess === undefined ? '' : ` (did you mean "${guess}"?)`;
  return new Misuse('ModelUnknown', `no model is called "${model}"${hint}: ${there.join('; ')}`, { model, known });
}
