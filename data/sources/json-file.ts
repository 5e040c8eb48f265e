import { literal } from '../../core/sql.ts';
import { filesOf, filesSha256, observeFiles } from './folder.ts';
import type { Reader } from './reader.ts';
import { textColumns, writeSnapshot } from './snapshot.ts';

/** Reads JSON objects from files. A member that an object lacks is a missing value. */
export const jsonFileReader = (format: 'array' | 'newline_delimited'): Reader => ({
  observe: observeFiles,
  async snapshot(request, context) {
    const files = await filesOf(request);
    const relation = `read_json([${files.map(literal).join(', ')}], format = '${format}', columns = ${textColumns(request)})`;
    return writeSnapshot(request, { relation, files, text: true, sourceSha256: await filesSha256(files, context) }, context);
  },
});
