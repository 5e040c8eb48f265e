import { element } from './dom.js';

/**
 * A search field with a list of what was found, by the ARIA combobox pattern: arrows move, Enter chooses, Escape closes. `search` gives
 * `{ id, title, note }`s for a text; an answer that comes after a newer question is dropped.
 */
export function combobox(input, list, { search, choose, nothing }) {
  let options = [];
  let active = -1;
  let asked = 0;
  let timer;

  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-controls', list.id);
  list.setAttribute('role', 'listbox');

  const close = () => {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };

  const activate = (index) => {
    active = index;
    for (const [at, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(at === index));
    const option = list.children[index];
    if (!option || options.length === 0) return input.removeAttribute('aria-activedescendant');
    input.setAttribute('aria-activedescendant', option.id);
    option.scrollIntoView({ block: 'nearest' });
  };

  const pick = (option) => {
    input.value = '';
    close();
    choose(option);
  };

  const show = async () => {
    const question = ++asked;
    const found = await search(input.value.trim()).catch(() => []);
    if (question !== asked) return;
    options = found;
    list.replaceChildren(
      ...found.map((option, at) =>
        element(
          'li',
          // The field keeps the focus, so that choosing does not close the list before the click arrives.
          { id: `${list.id}-${at}`, role: 'option', onmousedown: (event) => event.preventDefault(), onclick: () => pick(option) },
          element('span', { class: 'option-title' }, option.title),
          element('span', { class: 'option-note' }, option.note),
        ),
      ),
    );
    if (found.length === 0) list.append(element('li', { class: 'option-none', role: 'presentation' }, nothing(input.value.trim())));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    activate(found.length > 0 && input.value.trim() !== '' ? 0 : -1);
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(show, 90);
  };

  input.addEventListener('input', soon);
  input.addEventListener('focus', soon);
  input.addEventListener('click', () => list.hidden && soon());
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return close();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) return show();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (options.length > 0) activate((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (!list.hidden && options[active]) pick(options[active]);
    }
  });
}
