import { MlError } from '../errors.ts';
import type { Finishing } from '../finish.ts';
import { expectedCalibrationError } from '../metrics/binary.ts';
import { calibrate, fitIsotonic, fitPlatt } from '../metrics/calibration.ts';
import { callMetrics } from '../metrics/calls.ts';
import { ofColumns } from '../metrics/columns.ts';
import { cheapestThreshold } from '../metrics/threshold.ts';
import type { Tensors } from '../onnx-tensor.ts';
import { outputOf } from './table-exam.ts';

/** A probability, what it was before it was calibrated, and whether the row is called positive: as far as the spec asks. A type, so that it is known to be JSON. */
export type Called = {
  readonly probability: number;
  readonly uncalibrated?: number;
  readonly positive?: boolean;
};

/** The bare probability where the spec asks for no more. */
export type BinaryAnswer = number | Called;

export function binaryAnswers(outputs: Tensors): readonly BinaryAnswer[] {
  const probabilities = Array.from(outputOf(outputs, 'probability'));
  const uncalibrated = 'uncalibrated' in outputs ? outputOf(outputs, 'uncalibrated') : undefined;
  const positive = outputs['positive']?.data;
  if (uncalibrated === undefined && positive === undefined) return probabilities;
  return probabilities.map((probability, at) => ({
    probability,
    ...(uncalibrated && { uncalibrated: uncalibrated[at]! }),
    ...(positive && { positive: positive[at] === 1 }),
  }));
}

export function binaryColumns(answers: readonly BinaryAnswer[]): Readonly<Record<string, readonly number[]>> {
  const called = answers.filter((answer) => typeof answer === 'object');
  const [first] = called;
  return {
    probability: answers.map((answer) => (typeof answer === 'number' ? answer : answer.probability)),
    ...(first?.uncalibrated !== undefined && { uncalibrated: called.map(({ uncalibrated }) => uncalibrated!) }),
    ...(first?.positive !== undefined && { positive: called.map(({ positive }) => Number(positive)) }),
  };
}

const fits = { isotonic: fitIsotonic, platt: fitPlatt };

export const calibrationMetrics = {
  'ece-uncalibrated': ofColumns('Calibration error before', 'lower', ['label', 'uncalibrated'], expectedCalibrationError),
};

export const binaryFinish: Finishing = {
  parts: {
    calibration: { outputs: [{ name: 'uncalibrated', type: 'float32', dims: [-1] }], metrics: () => calibrationMetrics },
    threshold: { outputs: [{ name: 'positive', type: 'bool', dims: [-1] }], metrics: callMetrics },
  },
  learn({ calibration: method, threshold: cost }, { units, columns }) {
    const rows = units.length;
    const [label, given] = [columns['label']!, columns['probability']!];
    if (new Set(label).size < 2) {
      const what = [method && 'calibration', cost && 'threshold'].filter(Boolean).join(' and no ');
      throw new MlError('RowsInvalid', `of ${rows} validation rows all or none are positive, which teaches no ${what}: hold more out`, { rows });
    }
    const calibration = method && fits[method](label, given);
    // As the model will say it, in 32 bits.
    const probability = calibration ? given.map((each) => Math.fround(calibrate(calibration, each))) : given;
    return { rows, ...(calibration && { calibration }), ...(cost && { threshold: cheapestThreshold(label, probability, cost).threshold }) };
  },
};
