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

/** ONNX Runtime compares `instanceof` with the host's typed arrays, so the sandbox borrows them. */
export default class HostTypedArrays extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of typedArrays) this.global[name] = globalThis[name];
  }
}
