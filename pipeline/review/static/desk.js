// Comfort only: every page works without it.
'use strict';

// A value and its rectangle light up together.
for (const kind of ['mouseover', 'mouseout']) {
  document.addEventListener(kind, (event) => {
    const name = event.target.closest?.('[data-name]')?.dataset.name;
    if (!name) return;
    for (const twin of document.querySelectorAll(`[data-name="${CSS.escape(name)}"]`)) {
      twin.classList.toggle('lit', kind === 'mouseover');
    }
  });
}

// A link between them moves only as far as it must, so that both stay in sight.
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="#r-"], a[href^="#v-"]');
  const target = link && document.getElementById(decodeURIComponent(link.getAttribute('href').slice(1)));
  if (!target || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  for (const held of document.querySelectorAll('.held')) held.classList.remove('held');
  for (const twin of document.querySelectorAll(`[data-name="${CSS.escape(target.dataset.name)}"]`)) twin.classList.add('held');
  target.scrollIntoView({ block: 'nearest' });
});

// j and k move through the queue, n opens the next case, q the queue.
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest('input, textarea, select')) return;
  const rows = [...document.querySelectorAll('a.case')];
  const at = rows.indexOf(document.activeElement);
  if (event.key === 'j') rows[Math.min(at + 1, rows.length - 1)]?.focus();
  if (event.key === 'k') rows[Math.max(at - 1, 0)]?.focus();
  if (event.key === 'n' || event.key === 'q') document.querySelector(`a[data-key="${event.key}"]`)?.click();
});
