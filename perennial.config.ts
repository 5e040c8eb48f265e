import { defineConfig } from 'perennial-ml';

/** The examples of this repository. `npm run demo` starts the user-data API and fills the folder; the address of a real one goes here. */
export default defineConfig({
  connections: {
    catalogue: { kind: 'folder', path: '.perennial/data' },
    // The pipelines of tables read real data, which a clone has not: put it there, or run `npm run acceptance -- --data <folder>`.
    orders: { kind: 'folder', path: '.perennial/orders' },
    taxi: { kind: 'folder', path: '.perennial/taxi' },
    payments: { kind: 'folder', path: '.perennial/payments' },
    // pipelines/readmission/README.md makes these.
    hospital: {
      kind: 'folder',
      path: '.perennial/hospital',
      identity: { file: '.perennial/hospital-keys/identity.key' },
      pseudonymKey: { file: '.perennial/hospital-keys/pseudonyms.key' },
    },
    'user-data-api': {
      kind: 'http',
      baseUrl: 'http://127.0.0.1:7650',
      allowedHosts: ['127.0.0.1:7650'],
      token: { env: 'USER_DATA_TOKEN' },
    },
  },
});
