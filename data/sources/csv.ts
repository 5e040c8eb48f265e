import { literal } from '../../core/sql.ts';
import { filesOf, filesSha256, observeFiles } from './folder.ts';
import type { Reader } from './reader.ts';
import { writeSnapshot } from './snapshot.ts';

/** Comma-separated values as RFC 4180 has them, UTF-8, with a header; `.gz` is unpacked. An empty field is a missing value. */
export const csv: Reader = {
  observe: observeFiles,
  async snapshot(request, context) {
    const files = await filesOf(request);
    const list = files.map(literal).join(', ');
    const relation =
      `read_csv([${list}], header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', auto_detect = true, union_by_name = true, ` +
      `sample_size = 1000, max_line_size = 16777216)`;
    return writeSnapshot(request, { relation, files, text: true, sourceSha256: await filesSha256(files, context) }, context);
  },
};
