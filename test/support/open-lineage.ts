import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ajvFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schemas = process.env['OPENLINEAGE_SCHEMAS'] ?? resolve(import.meta.dirname, '../../../shared/schemas/openlineage');

/**
 * Checks events against OpenLineage's JSON Schemas, each facet against its own; gives what is wrong. `undefined` where the schemas are not: the test then
 * skips, and says so.
 */
export function openLineageCheck(): ((event: unknown) => string[]) | undefined {
  if (!existsSync(schemas)) {
    process.stderr.write(`OpenLineage's schemas are not at ${schemas} (set OPENLINEAGE_SCHEMAS): their tests are skipped\n`);
    return undefined;
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajvFormats.default(ajv);
  const read = (file: string): object => JSON.parse(readFileSync(join(schemas, file), 'utf8')) as object;
  ajv.addSchema(read('OpenLineage.json'));
  for (const file of readdirSync(join(schemas, 'facets'))) ajv.addSchema(read(join('facets', file)));
  const wrong = (schema: string, value: unknown): string[] => {
    const validate = ajv.getSchema(schema);
    if (validate === undefined) return [`there is no schema ${schema}`];
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${schema} ${error.instancePath} ${error.message}`);
  };
  return (event) => [
    ...wrong((event as { schemaURL: string }).schemaURL, event),
    ...facetsIn(event).flatMap((facet) => wrong(facet._schemaURL, facet)),
  ];
}

interface Facet {
  readonly _schemaURL: string;
}

function facetsIn(value: unknown): Facet[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...('_schemaURL' in value ? [value as Facet] : []), ...Object.values(value).flatMap(facetsIn)];
}
