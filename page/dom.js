/**
 * A new element. `attributes` that are functions are listeners (`onclick`), `true` sets a bare attribute, `false`, `null` and `undefined` leave it out.
 * Text is always text: nothing here reads markup from data.
 */
export function element(tag, attributes = {}, ...children) {
  const node = tag === 'svg' || tag in svgTags ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (name.startsWith('--')) node.style.setProperty(name, value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const svgTags = { line: true, rect: true, circle: true };

export const find = (id) => document.getElementById(id);
