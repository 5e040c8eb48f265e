import { canonical } from '../../core/canonical.ts';
import { literal } from '../../core/sql.ts';
import { namedColumns } from '../column-kinds.ts';
import { isPrivate, streamedCsv } from './csv-stream.ts';
import { filesOf, filesSha256, observeFiles, sha256Of } from './folder.ts';
import { keyMark, openPseudonyms } from './pseudonym.ts';
import type { Reader } from './reader.ts';
import { writeSnapshot } from './snapshot.ts';

/**
 * Comma-separated values as RFC 4180 has them, UTF-8, with a header; `.gz` is unpacked. An empty field is a missing value. `.age` files, and those with
 * pseudonyms, are read as a stream that DuckDB sees the end of.
 */
export const csv: Reader = {
  async observe(request, context) {
    const files = await observeFiles(request, context);
    if (!namedColumns(request.source).some(({ pseudonym }) => pseudonym)) return files;
    const facts = { files: files.facts, pseudonymKey: keyMark(await openPseudonyms(request)) };
    return { sha256: sha256Of(canonical(facts)), facts };
  },
  async snapshot(request, context) {
    const files = await filesOf(request);
    const sourceSha256 = await filesSha256(files, context);
    if (isPrivate(request, files)) return writeSnapshot(request, { ...(await streamedCsv(request, files, context)), sourceSha256 }, context);
    const list = files.map(literal).join(', ');
    const relation =
      `read_csv([${list}], header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', auto_detect = true, union_by_name = true, ` +
      `sample_size = 1000, max_line_size = 16777216)`;
    return writeSnapshot(request, { relation, files, text: true, sourceSha256 }, context);
  },
};
