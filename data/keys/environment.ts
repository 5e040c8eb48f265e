import type { KeyProvider } from './key-provider.ts';

/** Variables of the process that reads. */
export const environment =
  (variables: Readonly<Record<string, string | undefined>>): KeyProvider<{ readonly env: string }> =>
  ({ env }) => ({ place: `environment variable ${env}`, read: async () => variables[env] });
