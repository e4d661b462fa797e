// Sets the theme before anything is drawn, so that a dark page never flashes white. It is no module, since
// those run later.
(() => {
  let kept = null
  try { kept = localStorage.getItem('fodc-theme') } catch { /* Storage may be forbidden: then the system decides. */ }
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept
})()
