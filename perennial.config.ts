import { defineConfig } from 'perennial-ml';

/** The examples of this repository. `npm run demo` starts the user-data API and fills the folder; the address of a real one goes here. */
export default defineConfig({
  connections: {
    catalogue: { kind: 'folder', path: '.perennial/data' },
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
