import { html, trusted, type Content, type Html } from './html.ts';
import { style } from './style.ts';

/** Everything is in the file: a reader's browser is told to fetch nothing and to run nothing. */
const policy = "default-src 'none'; style-src 'unsafe-inline'";

/** One self-contained page, readable without a script or a network, on paper too. */
export const pageOf = (
  title: string,
  { header, main, footer }: { readonly header: Html; readonly main: Content; readonly footer: Content },
): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <title>${title}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <header>${header}</header>
        <main>${main}</main>
        <footer>${footer}</footer>
      </body>
    </html> `.toString();
