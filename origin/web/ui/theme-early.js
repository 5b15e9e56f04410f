// Before anything is drawn, so that a dark room never sees a white flash. A classic script on purpose.
(function () {
  var stored = null;
  try { stored = JSON.parse(localStorage.getItem('segue.theme')); } catch (error) { /* nothing stored */ }
  var dark = stored === 'dark' || (stored !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
