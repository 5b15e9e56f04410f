/** What was heard, newest first, and clearing it. */

import { clearHistory, paths } from '../api/library.js';
import { h } from '../lib/dom.js';
import { moment } from '../lib/format.js';
import { confirmDialog } from '../ui/dialog.js';
import { songRow } from '../ui/song-row.js';
import { toast } from '../ui/toast.js';
import { shelfView, songLayout } from './shelf.js';

/** @param {{player: Player, scroller: HTMLElement}} parts */
export function historyView({ player, scroller }) {
  return shelfView({
    title: 'History', path: paths.history, noun: 'play', scroller, layout: songLayout,
    render: (play) => songRow(play.song, { player, note: moment(play.started_at), play: () => player.playSongs([play.song]) }),
    actions: (pager) => [h('button.pill', { type: 'button', onclick: () => clear(pager) }, 'Clear')],
    empty: ['Nothing heard yet', 'Every song that you play is remembered here, for you alone.'],
  });
}

function clear(pager) {
  confirmDialog('Clear your history?', 'What you heard is forgotten, and with it your most heard songs and artists.', {
    submit: 'Clear the history',
    act: async () => {
      await clearHistory();
      await pager.restart();
      toast('The history is cleared');
    },
  });
}
