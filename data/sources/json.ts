import { literal } from '../../core/segment.ts';
import { filesOf, filesSha256, observeFiles } from './folder.ts';
import type { Reader } from './reader.ts';
import { textColumns, writeSnapshot } from './snapshot.ts';

const reader = (format: 'array' | 'newline_delimited'): Reader => ({
  observe: (request, context) => observeFiles(request, context.signal),
  async snapshot(request, context) {
    const files = await filesOf(request);
    const relation = `read_json([${files.map(literal).join(', ')}], format = '${format}', columns = ${textColumns(request)})`;
    return writeSnapshot(request, { relation, files, text: true, sourceSha256: await filesSha256(files, context.signal) }, context);
  },
});

/** One array of objects. A member that an object lacks is a missing value. */
export const json = reader('array');

/** An object a line. */
export const jsonLines = reader('newline_delimited');
