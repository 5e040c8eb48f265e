import { defineConfig } from 'perennial-ml';

/** Where this project's work is done. What a model is stands in pipelines/, and names these connections only. */
export default defineConfig({
  connections: {
    films: { kind: 'folder', path: 'data' },
    desk: { kind: 'folder', path: 'data' },
    // The same ratings from an API; the token is named here, and stays in the worker's environment:
    // viewers: { kind: 'http', baseUrl: 'https://viewers.example/api', allowedHosts: ['viewers.example'], token: { env: 'VIEWERS_TOKEN' } },
  },
});
