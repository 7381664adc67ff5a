/* Notifications are asked for once, shown where they are allowed, and lead back to the page. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { askPermission, notify, permission } from '../../htdocs/js/notify.js';

/* A browser whose person has decided, or will decide `later` when asked. */
function browser(decided, later = decided) {
  const all = { shown: [], asked: 0, focused: 0 };
  globalThis.window = { focus: () => { all.focused += 1; } };
  globalThis.Notification = class {
    static permission = decided;

    static async requestPermission() {
      all.asked += 1;
      this.permission = later;
    }

    constructor(title, more) {
      if (all.isRefusing) throw new TypeError('illegal constructor');
      all.shown.push(Object.assign(this, { title, ...more, isClosed: false }));
    }

    close() { this.isClosed = true; }
  };
  return all;
}
afterEach(() => {
  delete globalThis.Notification;
  delete globalThis.window;
});

test('a browser without notifications is told apart, and nothing is shown', async () => {
  assert.equal(permission(), 'none');
  assert.equal(await askPermission(), 'none');
  notify('New invitation');
});

test('who has not decided is asked, who has is not', async () => {
  const open = browser('default', 'granted');
  notify('too early');
  assert.deepEqual([open.shown.length, permission()], [0, 'default']);
  assert.deepEqual([await askPermission(), open.asked], ['granted', 1]);
  for (const decided of ['granted', 'denied']) {
    const all = browser(decided);
    assert.deepEqual([await askPermission(), all.asked], [decided, 0]);
  }
});

test('a click on one leads to the page, does what it is for, and takes it away', () => {
  const all = browser('granted');
  let isDone = false;
  notify('New invitation: Ann', { body: 'Billing', tag: 'offer-1', onClick: () => { isDone = true; } });
  const [shown] = all.shown;
  assert.deepEqual([shown.title, shown.body, shown.tag, shown.renotify], ['New invitation: Ann', 'Billing', 'offer-1', true]);
  shown.onclick();
  assert.deepEqual([all.focused, shown.isClosed, isDone], [1, true, true]);
});

test('who said no is shown nothing, and a browser that refuses does not break the page', () => {
  const denied = browser('denied');
  notify('New invitation');
  assert.equal(denied.shown.length, 0);
  const refusing = browser('granted');
  refusing.isRefusing = true;
  notify('New invitation');
  assert.equal(refusing.shown.length, 0);
});
