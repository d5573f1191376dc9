// @ts-check
/**
 * In the page's head, before anything else: what is pressed in the page's own markup while its scripts are on
 * their way is kept, and counts once they are there (page.js).
 */
{
  /** @type {Element[]} */
  const pressed = [];
  /** @param {Event} event */
  const keep = ({ target }) => {
    const button = target instanceof Element ? target.closest('#top button, .dx-term') : null;
    if (button) pressed.push(button);
  };
  document.addEventListener('click', keep, true);
  /** @type {any} */ (window).daamPressed = () => {
    document.removeEventListener('click', keep, true);
    return pressed;
  };
}
