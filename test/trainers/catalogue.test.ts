import { describe, expect, test } from '@jest/globals';
import { MlError } from '../../core/errors.ts';
import { trainerNamed, trainers } from '../../trainers/index.ts';

describe('the table of trainers', () => {
  test('each is found by its own name and completes its parameters from nothing', () => {
    for (const [name, trainer] of Object.entries(trainers)) {
      expect(trainer.name).toBe(name);
      expect(trainerNamed(name)).toBe(trainer);
      expect(JSON.parse(JSON.stringify(trainer.parameters.parse({})))).toEqual(trainer.parameters.parse({}));
    }
  });

  test('an unknown name is refused with the one that was probably meant', () => {
    expect(() => trainerNamed('eas')).toThrow(MlError);
    expect(() => trainerNamed('eas')).toThrow(/did you mean "ease"/);
  });

  test('a misspelt parameter is refused', () => {
    expect(() => trainers.ease.parameters.parse({ lambda: 3 })).toThrow(/lambda/);
  });
});
