import type { Feature } from '../../core/encoding.ts';
import { quoted } from '../../core/sql.ts';
import { termValues, type Vocabulary, vocabularyOf } from '../../core/tf-idf.ts';
import type { Duckdb } from '../duckdb.ts';

/** What a text is when it is missing: it has no terms. */
export const textSql = (column: string): string => `coalesce(r.${quoted(column)}, '')`;

/** The vocabulary of a column of the relation `known`, and a feature for each of its terms. */
export async function fitTerms(
  db: Duckdb,
  from: string,
  most: number,
  leastRows: number,
): Promise<{ readonly vocabulary: Vocabulary; readonly features: readonly Feature[] }> {
  const texts = (await db.rows(`SELECT ${textSql(from)} AS text FROM known r`)).map(({ text }) => String(text));
  const vocabulary = vocabularyOf(texts, most, leastRows);
  const valuesOf = termValues(vocabulary);
  const values = vocabulary.terms.map((): number[] => []);
  for (const text of texts) for (const [term, value] of valuesOf(text)) values[term]!.push(value);
  const features = vocabulary.terms.map((term, at): Feature => ({
    name: `${from}:${term}`,
    from,
    encoder: { by: 'term', term },
    missing: 0,
    ...distribution(values[at]!, texts.length),
  }));
  return { vocabulary, features };
}

/** Of `values` and as many zeros as there are rows besides. */
function distribution(values: readonly number[], rows: number): Pick<Feature, 'median' | 'mean' | 'deviation'> {
  const sorted = Float64Array.from(values).sort();
  const zeros = rows - sorted.length;
  const ranked = (rank: number): number => (rank < zeros ? 0 : sorted[rank - zeros]!);
  const median = (ranked(Math.floor((rows - 1) / 2)) + ranked(Math.ceil((rows - 1) / 2))) / 2;
  if (ranked(0) === ranked(rows - 1)) return { median, mean: median, deviation: 0 };
  const mean = sorted.reduce((sum, value) => sum + value, 0) / rows;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, zeros * mean ** 2);
  return { median, mean, deviation: Math.sqrt(squares / rows) };
}

/** A column for each term of a vocabulary, with the values of these texts. */
export function encodeTerms(vocabulary: Vocabulary, texts: readonly string[]): Float32Array[] {
  const valuesOf = termValues(vocabulary);
  const columns = vocabulary.terms.map(() => new Float32Array(texts.length));
  for (const [row, text] of texts.entries()) for (const [term, value] of valuesOf(text)) columns[term]![row] = value;
  return columns;
}
