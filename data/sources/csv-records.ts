import { MlError } from '../../core/errors.ts';

/** A record's fields; an empty one is a missing value. */
export type CsvRecord = readonly (string | null)[];

/** As `read_csv` allows it. Beyond that a quote is missing somewhere, and the rest of the file would be one field. */
const mostCharacters = 16_777_216;

const [quote, comma, lineFeed, carriageReturn] = [34, 44, 10, 13];

/**
 * The records of comma-separated values as RFC 4180 has them, UTF-8 with or without a byte order mark, as many at a time as a piece of the stream
 * holds. Empty lines are none. `where` is the source in messages, which hold no values.
 *
 * @throws {MlError} `SourceInvalid`
 */
export async function* csvRecords(pieces: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<readonly CsvRecord[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new CsvParser(where);
  const textOf = (piece?: Uint8Array): string => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch {
      throw invalid(where, parser.line, 'is not UTF-8');
    }
  };
  for await (const piece of pieces) yield parser.read(textOf(piece));
  yield [...parser.read(textOf()), ...parser.end()];
}

/** Goes on from piece to piece, wherever they are cut. */
class CsvParser {
  /** The line that is read, from 1. */
  line = 1;
  readonly #where: string;
  /** `closed`: after a quote that ends a field, or is the first of a pair that stands for one. */
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  #field = '';
  #record: (string | null)[] = [];
  #characters = 0;

  constructor(where: string) {
    this.#where = where;
  }

  read(text: string): readonly CsvRecord[] {
    const records: CsvRecord[] = [];
    /** Where the part of the field that is not in `#field` yet begins. */
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text.charCodeAt(at);
      if (character === lineFeed) this.line++;
      if (this.#state === 'quoted') {
        if (character !== quote) continue;
        this.#field += text.slice(from, at);
        this.#state = 'closed';
      } else if (character === comma || character === lineFeed || character === carriageReturn) {
        if (this.#state === 'plain') this.#field += text.slice(from, at);
        this.#endField();
        if (character !== comma) records.push(...this.#endRecord());
      } else if (this.#state === 'start') {
        this.#state = character === quote ? 'quoted' : 'plain';
        from = character === quote ? at + 1 : at;
      } else if (this.#state === 'closed') {
        if (character !== quote) throw invalid(this.#where, this.line, 'has text after the quote that ends a field');
        // Two quotes in quotes are one: it is the first character of what follows.
        this.#state = 'quoted';
        from = at;
      }
    }
    if (this.#state === 'plain' || this.#state === 'quoted') this.#field += text.slice(from);
    this.#characters += text.length;
    if (this.#characters > mostCharacters && records.length === 0) throw invalid(this.#where, this.line, 'is longer than 16 MiB: a quote is missing');
    if (records.length > 0) this.#characters = 0;
    return records;
  }

  end(): readonly CsvRecord[] {
    if (this.#state === 'quoted') throw invalid(this.#where, this.line, 'is the last, and a quote is missing');
    this.#endField();
    return this.#endRecord();
  }

  #endField(): void {
    this.#record.push(this.#field === '' ? null : this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  #endRecord(): readonly CsvRecord[] {
    const record = this.#record;
    this.#record = [];
    return record.length === 1 && record[0] === null ? [] : [record];
  }
}

const invalid = (where: string, line: number, what: string): MlError =>
  new MlError('SourceInvalid', `${where} cannot be read as csv: line ${line} ${what}`, { line });
