import { html, type Content, type Html } from './html.ts';

/** A captioned table. The first column is text, the others are figures, unless `align` (`l` or `r` per column) says otherwise. */
export function table(
  caption: Content,
  head: readonly Content[],
  rows: readonly (readonly Content[])[],
  align = `l${'r'.repeat(head.length - 1)}`,
): Html {
  const side = (column: number) => (align[column] === 'r' ? 'r' : 'l');
  return html`<figure class="table${head.length === 2 && ' narrow'}${head.length > 6 && ' dense'}">
    <figcaption>${caption}</figcaption>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            ${head.map((cell, i) => html`<th scope="col" class="${side(i)}">${cell}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                ${row.map((cell, i) => (i === 0 ? html`<th scope="row" class="${side(i)}">${cell}</th>` : html`<td class="${side(i)}">${cell}</td>`))}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </figure>`;
}

/** Terms with their values, set in two columns. */
export const terms = (pairs: readonly (readonly [Content, Content])[]): Html =>
  html`<dl>
    ${pairs.map(
      ([term, value]) =>
        html`<dt>${term}</dt>
          <dd>${value}</dd> `,
    )}
  </dl>`;
