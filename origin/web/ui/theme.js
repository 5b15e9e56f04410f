/** Light, dark, or as the system says. */

import { h, fill } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { recall, remember } from '../lib/storage.js';

const CHOICES = ['auto', 'light', 'dark'];
const LOOKS = { auto: ['auto', 'as the system'], light: ['sun', 'light'], dark: ['moon', 'dark'] };

/** A button that goes through the choices. `changed` is called with the theme that results. */
export function themeButton(changed) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let choice = recall('theme', 'auto', (value) => CHOICES.includes(value));
  const button = h('button.tool', { type: 'button', onclick: () => choose(CHOICES[(CHOICES.indexOf(choice) + 1) % 3]) });
  const apply = () => {
    const theme = choice === 'auto' ? (system.matches ? 'dark' : 'light') : choice;
    document.documentElement.dataset.theme = theme;
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', theme === 'dark' ? '#0d0f1a' : '#f3f4f8');
    const [name, words] = LOOKS[choice];
    fill(button, icon(name));
    button.setAttribute('aria-label', `Colours: ${words}. Change`);
    button.title = `Colours: ${words}`;
    changed(theme);
  };
  const choose = (next) => {
    choice = next;
    remember('theme', choice);
    apply();
  };
  system.addEventListener('change', apply);
  apply();
  return button;
}
