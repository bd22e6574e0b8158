// Small helpers to build what is shown. User text only ever becomes text nodes.
import {text} from './texts.js';

export const $ = (id) => document.getElementById(id);

// element('p', {class: 'hint', dir: 'auto'}, 'text', child, …)
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(path, className) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  if (className) svg.setAttribute('class', className);
  svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'path'));
  svg.firstChild.setAttribute('d', path);
  return svg;
}

// First letter and one of eight colours, the same for a name everywhere.
export function paintAvatar(node, name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 997;
  node.className = `avatar hue-${sum % 8}`;
  const first = [...new Intl.Segmenter().segment(name.trim())][0]?.segment ?? '?';
  node.textContent = first.toLocaleUpperCase();
  return node;
}
export const avatar = (name) => paintAvatar(element('span', {'aria-hidden': 'true'}), name);

// Text with its links made clickable; http and https only.
export function linked(content) {
  const pieces = content.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}،؛؟])/u);
  return pieces.map((piece, index) => (index % 2 ? element('a', {href: piece, rel: 'noopener noreferrer', target: '_blank', dir: 'ltr'}, piece) : piece));
}

let noticeTimer;
export function notice(message) {
  $('notice').textContent = message;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { $('notice').textContent = ''; }, 6000);
}

// A dialog with these fields ({name, label, type?, required?, dir?}); `act(values)` may throw to keep it open with the reason.
export function ask(title, okLabel, fields, act) {
  const dialog = $('ask');
  const form = dialog.querySelector('form');
  const problem = dialog.querySelector('.problem');
  $('ask-title').textContent = title;
  $('ask-ok').textContent = okLabel;
  problem.textContent = '';
  $('ask-fields').replaceChildren(...fields.map(({name, label, required = true, dir = 'auto', ...attributes}) =>
    element('label', {}, element('span', {}, label), element('input', {name, required, dir, autocomplete: 'off', ...attributes}))));
  form.onsubmit = async (event) => {
    event.preventDefault();
    $('ask-ok').disabled = true;
    try {
      await act(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      problem.textContent = error instanceof TypeError ? text('trouble') : error.message;
    } finally {
      $('ask-ok').disabled = false;
    }
  };
  $('ask-cancel').onclick = () => dialog.close();
  dialog.showModal();
}
