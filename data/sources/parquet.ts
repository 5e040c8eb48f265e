import { parquet as relationOf } from '../parquet.ts';
import { filesOf, filesSha256, observeFiles } from './folder.ts';
import type { Reader } from './reader.ts';
import { writeSnapshot } from './snapshot.ts';

/** Parquet files. Several (`trips-*.parquet`) are read as one, by column name. */
export const parquet: Reader = {
  observe: observeFiles,
  async snapshot(request, context) {
    const files = await filesOf(request);
    const relation = relationOf(...files).replace(/\)$/, ', union_by_name = true)');
    return writeSnapshot(request, { relation, files, text: false, sourceSha256: await filesSha256(files, context) }, context);
  },
};
