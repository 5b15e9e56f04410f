/** Forms: labelled fields, one button, and problems said beside the field they are about. */

import { fill, h } from '../lib/dom.js';
import { explain } from '../lib/explain.js';

let counter = 0;

/**
 * A labelled input.
 * @param {string} name  as the API calls it
 * @param {string} label
 * @param {object} [attributes]  of the input; `hint` is shown below, `options` ([value, words]) make it a choice, `lines` a text of several lines
 */
export function field(name, label, { hint = '', options = null, lines = 0, value = '', ...attributes } = {}) {
  counter += 1;
  const input = inputOf(`field-${counter}`, { name, options, lines, value, attributes });
  const note = h('span.field-note', { id: `field-${counter}-note` }, hint);
  input.setAttribute('aria-describedby', note.id);
  input.addEventListener('input', () => fail(''));
  function fail(text) {
    fill(note, text || hint);
    element.classList.toggle('wrong', Boolean(text));
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
  const element = h('div.field', {}, h('label', { for: input.id }, label), input, note);
  return { name, element, input, fail };
}

function inputOf(id, { name, options, lines, value, attributes }) {
  const common = { id, name, ...attributes };
  if (options) return h('select', common, options.map(([key, words]) => h('option', { value: key, selected: key === value }, words)));
  const input = lines ? h('textarea', { rows: lines, ...common }) : h('input', { type: 'text', autocapitalize: 'none', ...common });
  input.value = value;
  return input;
}

/**
 * A form. `act` gets the values by name and may throw: the problem is then shown.
 * @param {{fields: object[], submit: string, act: (values: object) => Promise<void>, danger?: boolean, beside?: Node[]}} options
 */
export function form({ fields, submit, act, danger = false, beside = [] }) {
  const button = h(`button.pill.${danger ? 'danger' : 'primary'}`, { type: 'submit' }, submit);
  const problem = h('p.form-problem', { role: 'alert', hidden: true });
  const send = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    problem.hidden = true;
    button.disabled = true;
    element.setAttribute('aria-busy', 'true');
    try {
      await act(Object.fromEntries(fields.map(({ name, input }) => [name, input.value])));
    } catch (error) {
      blame(error, fields, problem);
    } finally {
      button.disabled = false;
      element.removeAttribute('aria-busy');
    }
  };
  const element = h('form.form', { onsubmit: send }, fields.map((it) => it.element), problem, h('div.form-actions', {}, button, beside));
  return element;
}

/** Says a problem at its field when it names one, else at the end of the form. */
function blame(error, fields, problem) {
  const guilty = fields.find(({ name }) => name === memberOf(error));
  if (guilty) {
    guilty.fail(reasonOf(error));
    guilty.input.focus();
    return;
  }
  const { title, remedy } = explain(error);
  fill(problem, h('strong', {}, title), ' ', remedy);
  problem.hidden = false;
}

/** The member that a problem is about: `username: 3 to 32 …`, or `This username is taken. …`. */
export function memberOf({ code, detail }) {
  if (code === 'invalid') return detail?.match(/^([a-z_]+):/)?.[1] ?? null;
  if (code === 'taken') return detail?.match(/^This (\S+)/)?.[1] ?? null;
  return null;
}

function reasonOf({ detail }) {
  const words = detail.replace(/^[a-z_]+: /, '');
  return words[0].toUpperCase() + words.slice(1);
}
