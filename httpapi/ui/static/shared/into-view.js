// Scrolls a list, and never the page, so that one of its elements is seen.

// intoView puts child into the middle of box, unless all of it is seen already.
export function intoView(box, child) {
  const [all, own] = [box.getBoundingClientRect(), child.getBoundingClientRect()]
  if (own.left < all.left || own.right > all.right) box.scrollLeft += own.left - all.left - (all.width - own.width) / 2
  if (own.top < all.top || own.bottom > all.bottom) box.scrollTop += own.top - all.top - (all.height - own.height) / 2
}
