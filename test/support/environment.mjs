import { randomUUID } from 'node:crypto';
import { TestEnvironment } from 'jest-environment-node';

const typedArrays = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'BigInt64Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
  'BigUint64Array',
];

// Credentials of the S3 server that tests start: children get them from here, since a sandbox's own environment is not handed on. Nobody else's are equal, so
// that a test can look whether they were written down.
if (process.env.S3_TEST_ENDPOINT === undefined) {
  process.env.AWS_ACCESS_KEY_ID = `id-${randomUUID()}`;
  process.env.AWS_SECRET_ACCESS_KEY = `secret-${randomUUID()}`;
}

/** ONNX Runtime compares `instanceof` with the host's typed arrays, so the sandbox borrows them. */
export default class HostTypedArrays extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of typedArrays) this.global[name] = globalThis[name];
  }
}
