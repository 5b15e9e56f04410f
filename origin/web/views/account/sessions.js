/** Sign-ins and API tokens: what there is, and ending them. */

import * as api from '../../api/account.js';
import { fill, h } from '../../lib/dom.js';
import { day } from '../../lib/format.js';
import { openDialog } from '../../ui/dialog.js';
import { field, form } from '../../ui/form.js';
import { toast, toastError } from '../../ui/toast.js';
import { section } from './section.js';

const LIFETIMES = [['30', '30 days'], ['90', '90 days'], ['365', 'a year'], ['3650', 'ten years']];

/** @returns {{element: HTMLElement, reload: () => Promise<void>}} */
export function sessionsSection(items) {
  const signIns = h('ul.rows');
  const tokens = h('ul.rows');
  const show = (all) => {
    const of = (kind) => all.filter((it) => it.kind === kind).map((it) => row(it, reload));
    fill(signIns, of('login'));
    fill(tokens, of('api'));
  };
  async function reload() {
    try {
      show(await api.sessions());
    } catch (error) {
      toastError(error, reload);
    }
  }
  show(items);
  const element = h('div.panels', {},
    section('Sign-ins', 'Where this account is signed in. End what you do not know.', signIns),
    section('API tokens', 'For scripts and other players: sent as a bearer token, they may do what you may.', tokens, maker(reload)));
  return { element, reload };
}

function row(it, reload) {
  const end = async () => {
    try {
      await api.revoke(it.id);
      await reload();
    } catch (error) {
      toastError(error, end);
    }
  };
  const verb = it.kind === 'api' ? 'Revoke' : 'End';
  return h('li.row', {},
    h('div.row-text', {}, h('strong', {}, it.name || 'Unnamed'), h('span', {}, `Since ${day(it.created_at)}, last used ${day(it.seen_at)}, until ${day(it.expires_at)}`)),
    it.current ? h('span.badge', {}, 'This one')
      : h('button.pill', { type: 'button', 'aria-label': `${verb} ${it.name || 'unnamed'}`, onclick: end }, verb));
}

function maker(reload) {
  const name = field('name', 'For', { required: true, maxlength: 100, placeholder: 'Kitchen radio' });
  const days = field('days', 'Lasts', { options: LIFETIMES, value: '365' });
  const act = async (values) => {
    const { token } = await api.makeToken(values.name.trim(), Number(values.days));
    name.input.value = '';
    reload();
    showToken(token);
  };
  return form({ fields: [name, days], submit: 'Make a token', act });
}

function showToken(token) {
  openDialog('Your new token', (close) => [
    h('p', {}, 'Copy it now: it is not shown again.'),
    h('pre.secret', { tabindex: '0' }, h('code', {}, token)),
    h('div.form-actions', {},
      navigator.clipboard && h('button.pill.primary', { type: 'button', onclick: () => navigator.clipboard.writeText(token).then(() => toast('Copied')) }, 'Copy'),
      h('button.pill', { type: 'button', onclick: close }, 'Done')),
  ]);
}
