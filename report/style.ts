import { plotFont } from './plot.ts';

/** Set like a paper: one measure of text, numbered tables and figures, no ornament; light, dark and print. */
export const style = `
:root {
  --paper: #fffefb; --ink: #1d1d1f; --faint: #6d6d72; --rule: #e3e0d8; --wash: #f6f4ee;
  --accent: #1f5c99; --good: #21743f; --bad: #b3261e; --open: #8a5a00;
  --series-1: #1f5c99; --series-2: #c2510a; --series-3: #00795c; --series-4: #9b4488; --series-5: #8a6d00; --series-6: #2a9bc4; --series-7: #5b6670;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", "Liberation Serif", Georgia, serif;
  --sans: ${plotFont};
  color-scheme: light dark;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #17181b; --ink: #e8e6e1; --faint: #9b9a96; --rule: #34353a; --wash: #202126;
    --accent: #7db4ea; --good: #79c491; --bad: #f08a80; --open: #e0b060;
    --series-1: #7db4ea; --series-2: #f09050; --series-3: #4fc6a0; --series-4: #d993c8; --series-5: #d9be55; --series-6: #86d3ef; --series-7: #a4afb8;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 17px/1.55 var(--serif); -webkit-text-size-adjust: 100%; }
body { max-width: 53rem; margin: 0 auto; padding: 3.2rem 1.4rem 5rem; counter-reset: section figure table; }
h1, h2, h3 { font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.1rem; margin: 0 0 .35rem; letter-spacing: -.012em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 3.2rem 0 .8rem; counter-increment: section; }
h2::before { content: counter(section) "\\2002"; color: var(--faint); font-weight: 400; }
h3 { font-size: 1.02rem; margin: 1.9rem 0 .5rem; }
p { margin: .7rem 0; text-wrap: pretty; hyphens: auto; } p, li, dd, figcaption { max-width: 45rem; }
header p { margin: .2rem 0; color: var(--faint); hyphens: none; }
.digest { font: .84em/1.4 ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", monospace; overflow-wrap: anywhere; }
ul { padding-left: 1.15rem; margin: .7rem 0; } li { margin: .3rem 0; }

.verdict { border-left: 4px solid var(--tone); background: var(--wash); padding: 1.1rem 1.4rem 1rem; margin: 1.9rem 0 1.4rem; break-inside: avoid; }
.verdict.good { --tone: var(--good); } .verdict.bad { --tone: var(--bad); } .verdict.open { --tone: var(--open); }
.verdict h2 { margin: 0; counter-increment: none; color: var(--tone); font-size: 1.45rem; } .verdict h2::before { content: none; }
.verdict > p { margin: .2rem 0 .6rem; } .verdict ul { margin-bottom: .2rem; }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.2rem 1.6rem; margin: 1.6rem 0 0; padding: 0; }
.key div { border-top: 1px solid var(--ink); padding-top: .45rem; break-inside: avoid; }
.key dt { font: .76rem/1.35 var(--sans); color: var(--faint); }
.key dd { margin: .15rem 0 0; font-size: 1.55rem; line-height: 1.15; font-variant-numeric: lining-nums tabular-nums; }
.key small { display: block; font: .76rem/1.4 var(--sans); color: var(--faint); }

table { border-collapse: collapse; width: 100%; font: .82rem/1.4 var(--sans); font-variant-numeric: lining-nums tabular-nums;
  border-top: 1.5px solid var(--ink); border-bottom: 1.5px solid var(--ink); }
figure { margin: 1.7rem 0; break-inside: avoid; } figure svg { display: block; max-width: 100%; height: auto; overflow: visible; }
figcaption { font-size: .9rem; line-height: 1.45; margin-top: .5rem; counter-increment: figure; }
figcaption::before { content: "Figure " counter(figure) ".\\2002"; font-weight: 600; }
.scroll { overflow-x: auto; }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 2.2rem; } .figures > * { min-width: 0; }
.figures figure { margin-top: .6rem; } .figures .wide { grid-column: 1 / -1; }
.table figcaption { margin: 0 0 .55rem; counter-increment: table; } .table figcaption::before { content: "Table " counter(table) ".\\2002"; }
th, td { padding: .34rem .6rem; vertical-align: baseline; } th:first-child { padding-left: 0; } td:last-child, th:last-child { padding-right: 0; }
thead th { font-weight: 600; border-bottom: 1px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 5.5rem; } tbody tr + tr > * { border-top: 1px solid var(--rule); }
.dense table { font-size: .73rem; } .dense tbody th { min-width: 7rem; } .dense th, .dense td { padding-left: .3rem; padding-right: .3rem; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .2rem 0 .5rem; padding: 0; list-style: none; font: .76rem/1.5 var(--sans); }
.legend li { margin: 0; display: flex; align-items: center; gap: .4rem; } figure .legend svg { flex: none; }
.strip { display: block; } ul.many { font-size: .86rem; columns: 2; column-gap: 2rem; } ul.many li { break-inside: avoid; } ul.many li:first-child { margin-top: 0; }
.narrow table { width: auto; min-width: 16rem; }
.l { text-align: left; overflow-wrap: break-word; } .r { text-align: right; } td.r { white-space: nowrap; }
td small, th small { display: block; color: var(--faint); font-size: .92em; } td b { font-weight: 700; }
.good-text { color: var(--good); } .bad-text { color: var(--bad); } .faint { color: var(--faint); }

dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 1rem 0; } dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
dl.settings { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); font: .82rem/1.4 var(--sans); border-block: 1px solid var(--rule); padding: .6rem 0; }
dl.settings div { min-width: 0; overflow-wrap: anywhere; }
dl.key dt, dl.key dd { color: inherit; } dl.key dt { color: var(--faint); }
footer { margin-top: 3.5rem; padding-top: .8rem; border-top: 1px solid var(--rule); font-size: .85rem; color: var(--faint); }
@media screen and (max-width: 48rem) { .figures { grid-template-columns: minmax(0, 1fr); } }
@media screen and (max-width: 34rem) { html { font-size: 16px; } figure svg { max-width: none; } dl:not(.key) { grid-template-columns: 1fr; gap: 0; } dl:not(.key) dd { margin-bottom: .6rem; } }
@media print {
  @page { margin: 18mm 16mm; }
  html { font-size: 10.5pt; background: none; } body { max-width: none; padding: 0; }
  .table { break-inside: auto; } .figures > .half, .figures > .wide:not(:has(table)) { break-inside: avoid; } footer { margin-top: 1.2rem; }
  h2, h3, figcaption { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; } .scroll { overflow: visible; }
  .verdict { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
