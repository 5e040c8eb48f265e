import { expect, test } from '@jest/globals';
import { coresGranted, slotsOf } from '../../workers/slots.ts';

const machine = () => ({ cores: 8, memory: 10 * 1024 ** 3 });

test.each([
  ['one training a core', {}, 8],
  ['fewer where memory is short', { memoryMb: 4096 }, 2],
  ['no more than cores where it is plenty', { memoryMb: 16 }, 8],
  ['at least one', { memoryMb: 100_000 }, 1],
  ['what is configured', { computeSlots: 3, memoryMb: 4096 }, 3],
])('compute takes %s', (_, config, slots) => {
  expect(slotsOf('compute', config, machine)).toBe(slots);
});

test('an accelerator trains one at a time', () => {
  expect(slotsOf('gpu', { computeSlots: 3 }, machine)).toBe(1);
});

test.each([
  ['200000 100000', 2],
  ['150000 100000', 2],
  ['max 100000', Infinity],
  ['max', Infinity],
])('cpu.max %j grants %d cores', (text, cores) => {
  expect(coresGranted(text)).toBe(cores);
});
