// notify: the browser's own notifications, for the desk. They are asked for only by a click on a button that says so.

/** @returns {'granted'|'denied'|'default'|'none'} 'none': the browser has no notifications */
export const permission = () => globalThis.Notification?.permission ?? 'none';

/** Call it from a click only; resolves with what permission() is then. */
export async function askPermission() {
  if (permission() === 'default') await Notification.requestPermission();
  return permission();
}

/** Shows one, if that is allowed; with the same tag it takes the earlier one's place. */
export function notify(title, { body = '', tag, onClick } = {}) {
  if (permission() !== 'granted') return;
  try {
    const shown = new Notification(title, { body, tag, renotify: Boolean(tag), icon: '/favicon.svg' });
    shown.onclick = () => {
      window.focus();
      shown.close();
      onClick?.();
    };
  } catch {
    // some phones have the name and refuse the use
  }
}
