import { MlError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';

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

/** There is no such model here; `where` says where was looked. */
export function unknownModel(model: string, known: readonly string[], where: string): Misuse {
  const guess = nearest(model, known);
  const there = known.length === 0 ? `there is none in ${where}` : `${where} has ${known.join(', ')}`;
  return new Misuse('ModelUnknown', `no model is called "${model}": ${there}${guess === undefined ? '' : ` (did you mean "${guess}"?)`}`, {
    model,
    known,
  });
}
